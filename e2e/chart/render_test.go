package chart_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

var update = flag.Bool("update", false, "write testdata/golden from what is rendered now")

// standing are the values that are an installation by themselves.
var standing = []string{"least.yaml", "all.yaml", "shared.yaml"}

func TestHelmLint(t *testing.T) {
	for _, values := range standing {
		out, said, err := helm(t, "lint", "--strict", chart, "--values", filepath.Join("testdata", "values", values))
		if err != nil || !strings.Contains(out, "0 chart(s) failed") {
			t.Errorf("helm lint with %s: %v\n%s%s", values, err, out, said)
		}
	}
}

// What is rendered is looked at by a person whenever it changes.
func TestWhatIsRendered(t *testing.T) {
	for _, values := range standing {
		golden := filepath.Join("testdata", "golden", values)
		got := template(t, values)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("with %s something else is rendered: run `go test -run TestWhatIsRendered -update .` and look at the difference", values)
		}
	}
}

// Names by which objects find each other: none is left alone.
func TestWhatIsRenderedFitsTogether(t *testing.T) {
	list := objects(t, template(t, "all.yaml"))
	pod := the[*appsv1.Deployment](t, list).Spec.Template
	ports := map[string]bool{}
	for _, port := range pod.Spec.Containers[0].Ports {
		ports[port.Name] = true
	}
	selected := 0
	selects := func(what string, selector *metav1.LabelSelector) {
		s, err := metav1.LabelSelectorAsSelector(selector)
		if err != nil || s.Empty() || !s.Matches(labels.Set(pod.Labels)) {
			t.Errorf("%s selects %v and not the pod (%v)", what, s, err)
		}
		selected++
	}
	for _, object := range list {
		switch o := object.(type) {
		case *appsv1.Deployment:
			selects("the Deployment", o.Spec.Selector)
		case *networkingv1.NetworkPolicy:
			selects("the NetworkPolicy", &o.Spec.PodSelector)
			for _, rule := range o.Spec.Ingress {
				if !ports[rule.Ports[0].Port.StrVal] || len(rule.From) == 0 {
					t.Errorf("the NetworkPolicy lets %v from %v in", rule.Ports, rule.From)
				}
			}
		case *policyv1.PodDisruptionBudget:
			selects("the PodDisruptionBudget", o.Spec.Selector)
		case *corev1.Service:
			selects("the Service "+o.Name, &metav1.LabelSelector{MatchLabels: o.Spec.Selector})
			for _, port := range o.Spec.Ports {
				if !ports[port.TargetPort.StrVal] {
					t.Errorf("the Service %s leads to a port %s, which the pod does not have", o.Name, port.TargetPort.StrVal)
				}
			}
		}
	}
	if selected != 5 {
		t.Errorf("%d objects select the pod", selected)
	}
	for _, container := range pod.Spec.Containers {
		for _, probe := range []*corev1.Probe{container.StartupProbe, container.ReadinessProbe, container.LivenessProbe} {
			if probe == nil || probe.HTTPGet == nil || !ports[probe.HTTPGet.Port.StrVal] {
				t.Errorf("a probe asks nothing that the pod has: %v", probe)
			}
		}
	}
}

// The namespace may enforce Kubernetes' strictest standard.
func TestThePodIsRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, values := range standing {
		pod := the[*appsv1.Deployment](t, objects(t, template(t, values))).Spec.Template
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}, &pod.ObjectMeta, &pod.Spec))
		if !result.Allowed {
			t.Errorf("with %s: %s: %s", values, result.ForbiddenReason(), result.ForbiddenDetail())
		}
		for _, container := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
			if read := container.SecurityContext.ReadOnlyRootFilesystem; read == nil || !*read {
				t.Errorf("with %s: %s may write to its file system", values, container.Name)
			}
		}
		if mounted := pod.Spec.AutomountServiceAccountToken; mounted == nil || *mounted {
			t.Errorf("with %s the pod has a token of Kubernetes'", values)
		}
	}
}

// Two that serve at once with their own state would sign people out: neither
// by number nor while one replaces the other.
func TestOneAtATime(t *testing.T) {
	spec := the[*appsv1.Deployment](t, objects(t, template(t, "least.yaml"))).Spec
	if *spec.Replicas != 1 || spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
		t.Errorf("there are %d, replaced by %s", *spec.Replicas, spec.Strategy.Type)
	}
}

// With a state that they share, one is added before one is taken away, and a node
// that is drained takes one at a time. They are not all on one node where there are
// several.
func TestReplicasAreReplacedOneByOne(t *testing.T) {
	list := objects(t, template(t, "shared.yaml"))
	spec := the[*appsv1.Deployment](t, list).Spec
	rolling := spec.Strategy.RollingUpdate
	if *spec.Replicas != 3 || spec.Strategy.Type != appsv1.RollingUpdateDeploymentStrategyType || rolling.MaxUnavailable.IntValue() != 0 || rolling.MaxSurge.IntValue() != 1 {
		t.Errorf("there are %d, replaced by %+v", *spec.Replicas, spec.Strategy)
	}
	// Envoy comes back at another one before this one stops to listen.
	lifecycle := spec.Template.Spec.Containers[0].Lifecycle
	if lifecycle == nil || lifecycle.PreStop.Sleep == nil || lifecycle.PreStop.Sleep.Seconds < 1 || *spec.Template.Spec.TerminationGracePeriodSeconds < lifecycle.PreStop.Sleep.Seconds+15 {
		t.Errorf("it stops at once, or is killed while answers are under way: %+v", lifecycle)
	}
	if budget := the[*policyv1.PodDisruptionBudget](t, list).Spec; budget.MaxUnavailable.IntValue() != 1 {
		t.Errorf("a drained node may take %v", budget.MaxUnavailable)
	}
	spread := spec.Template.Spec.TopologySpreadConstraints
	if len(spread) != 1 || spread[0].TopologyKey != corev1.LabelHostname || spread[0].WhenUnsatisfiable != corev1.ScheduleAnyway {
		t.Fatalf("they are spread by %+v", spread)
	}
	if s, err := metav1.LabelSelectorAsSelector(spread[0].LabelSelector); err != nil || s.Empty() || !s.Matches(labels.Set(spec.Template.Labels)) {
		t.Errorf("what is spread is not the pod: %v, %v", spread[0].LabelSelector, err)
	}
}

// One replica of a state that is shared is replaced in the same way: an upgrade
// signs nobody out.
func TestOneWithASharedStateIsReplacedWithoutAGap(t *testing.T) {
	out, said, err := helm(t, "template", "rolepass", chart, "--values", "testdata/values/least.yaml", "--set", valkey)
	if err != nil {
		t.Fatalf("helm template: %v\n%s", err, said)
	}
	if spec := the[*appsv1.Deployment](t, objects(t, out)).Spec; *spec.Replicas != 1 || spec.Strategy.RollingUpdate == nil || spec.Strategy.RollingUpdate.MaxUnavailable.IntValue() != 0 {
		t.Errorf("%d, replaced by %+v", *spec.Replicas, spec.Strategy)
	}
}

// The pod may talk to the state's server, at its port, and only where there is one.
func TestTheStatesServerIsReached(t *testing.T) {
	for values, want := range map[string]int{"least.yaml": 0, "all.yaml": 0, "shared.yaml": 1} {
		found := 0
		for _, rule := range the[*networkingv1.NetworkPolicy](t, objects(t, template(t, values))).Spec.Egress {
			for _, to := range rule.To {
				if to.PodSelector != nil && to.PodSelector.MatchLabels["app"] == "valkey" && len(rule.Ports) == 1 && rule.Ports[0].Port.IntValue() == 6380 {
					found++
				}
			}
		}
		if found != want {
			t.Errorf("with %s the policy has %d rules for it", values, found)
		}
	}
}
