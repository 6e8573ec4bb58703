package credcache

import (
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/rolepass/rolepass/refusal"
)

// MayPass says that an exchange failed for a reason that passes by itself: STS
// was not reached, failed, or asked to slow down. The same assertion may then be
// brought again. What STS says of the assertion, the role or the policy is final.
func MayPass(err error) bool {
	code := refusal.CodeOf(err)
	return code == CodeUnavailable || code == CodeThrottled
}

// throttled says that STS asks for fewer calls. The SDK has the list of codes.
func throttled(err error, api smithy.APIError) bool {
	_, known := retry.DefaultThrottleErrorCodes[api.ErrorCode()]
	return known || status(err) == http.StatusTooManyRequests
}

// failed says that the fault is STS's own. The SDK knows whose fault only the
// errors are that AssumeRoleWithSAML models; of the common ones (InternalFailure,
// ServiceUnavailable) the status says it.
func failed(err error, api smithy.APIError) bool {
	_, timedOut := retry.DefaultRetryableErrorCodes[api.ErrorCode()]
	return timedOut || api.ErrorFault() == smithy.FaultServer || status(err) >= http.StatusInternalServerError
}

// status is that of the answer which the error came in; 0: there was none.
func status(err error) int {
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.Response == nil {
		return 0
	}
	return response.HTTPStatusCode()
}
