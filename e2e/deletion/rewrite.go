// Package deletion finds every check of package saml in its source and writes
// a copy of the package in which each can be switched off. The copy is built
// with go build -overlay; the package that ships has no such switch.
//
// A check is a condition under which a function makes a refusal. Each operand
// of an || is a check of its own, and so is each row of a table that is walked
// by a loop.
package deletion

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/printer"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// rows are the expressions that tell the rows of a table apart, in functions
// that walk one.
var rows = map[string]string{
	"checkChildren": `e.name.Local + "/" + p.name.Local`,
	"judge":         `r.name`,
	"check":         `e.name.Local + "/@" + name`,
}

// rewriter rewrites one file.
type rewriter struct {
	set    *token.FileSet
	file   string
	in     *ast.FuncDecl
	loops  []loop
	checks []string
	// seen counts the checks of one name.
	seen map[string]int
}

// loop is a loop over a literal: the source of its elements tells the rows.
type loop struct {
	index string
	rows  []string
}

// Rewrite gives the source with its switches, and the names of the checks that
// it found. A name that ends in * stands for the rows of a table.
func Rewrite(file string, source []byte) ([]byte, []string, error) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, err
	}
	r := &rewriter{set: set, file: strings.TrimSuffix(file, ".go"), seen: map[string]int{}}
	for _, declaration := range tree.Decls {
		function, is := declaration.(*ast.FuncDecl)
		if !is || function.Body == nil || slices.Contains(notChecks, function.Name.Name) {
			continue
		}
		r.in = function
		r.block(function.Body)
		r.ending(function)
	}
	var out bytes.Buffer
	tree.Comments = nil
	if err := format.Node(&out, set, tree); err != nil {
		return nil, nil, err
	}
	return out.Bytes(), r.checks, nil
}

func (r *rewriter) block(b *ast.BlockStmt) {
	for i, s := range b.List {
		b.List[i] = r.statement(s)
	}
}

func (r *rewriter) list(list []ast.Stmt) {
	for i, s := range list {
		list[i] = r.statement(s)
	}
}

// statement rewrites one statement and what is in it.
func (r *rewriter) statement(s ast.Stmt) ast.Stmt {
	switch s := s.(type) {
	case *ast.IfStmt:
		r.condition(s)
	case *ast.ForStmt:
		r.block(s.Body)
	case *ast.RangeStmt:
		r.loop(s)
	case *ast.SwitchStmt:
		r.cases(s)
	case *ast.TypeSwitchStmt:
		for _, clause := range s.Body.List {
			r.list(clause.(*ast.CaseClause).Body)
		}
	case *ast.AssignStmt:
		return r.assignment(s)
	case *ast.ReturnStmt:
		if refuses(s) {
			return r.guarded(s, r.text(s))
		}
		r.literals(s)
	case *ast.ExprStmt:
		r.literals(s)
	}
	return s
}

// condition guards what an if refuses for.
func (r *rewriter) condition(s *ast.IfStmt) {
	switch {
	case refusesAtEnd(s.Body.List):
		s.Cond = r.operands(s.Cond)
	case r.in.Name.Name == "judge":
		s.Cond = r.guard(s.Cond, "the rule")
	default:
		r.block(s.Body)
	}
	if s.Else != nil {
		s.Else = r.statement(s.Else)
	}
}

func (r *rewriter) loop(s *ast.RangeStmt) {
	literal, is := s.X.(*ast.CompositeLit)
	if !is || len(literal.Elts) == 0 {
		r.block(s.Body)
		return
	}
	l := loop{index: fmt.Sprintf("row%d", len(r.loops))}
	for _, e := range literal.Elts {
		l.rows = append(l.rows, r.text(e))
	}
	before := len(r.checks)
	r.loops = append(r.loops, l)
	r.block(s.Body)
	r.loops = r.loops[:len(r.loops)-1]
	if len(r.checks) > before {
		s.Key, s.Tok = ast.NewIdent(l.index), token.DEFINE
	}
}

// cases guards the cases of a switch over conditions, and the bodies of those
// of a switch over a value.
func (r *rewriter) cases(s *ast.SwitchStmt) {
	for _, c := range s.Body.List {
		clause := c.(*ast.CaseClause)
		if s.Tag == nil && len(clause.List) == 1 && refusesAtEnd(clause.Body) {
			clause.List[0] = r.operands(clause.List[0])
			continue
		}
		r.list(clause.Body)
	}
}

// assignment guards a refusal that is kept for later, and x = x || condition.
func (r *rewriter) assignment(s *ast.AssignStmt) ast.Stmt {
	if len(s.Rhs) != 1 {
		return s
	}
	if or, is := s.Rhs[0].(*ast.BinaryExpr); is && or.Op == token.LOR {
		all := split(or, token.LOR)
		if len(s.Lhs) == 1 && r.text(s.Lhs[0]) == r.text(all[0]) {
			for i := 1; i < len(all); i++ {
				all[i] = r.guard(all[i], r.text(all[i]))
			}
			s.Rhs[0] = join(all)
		}
		return s
	}
	if s.Tok == token.ASSIGN && makes(s.Rhs[0]) {
		return r.guarded(s, r.text(s))
	}
	r.literals(s)
	return s
}

// literals rewrites the bodies of function literals.
func (r *rewriter) literals(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		if literal, is := n.(*ast.FuncLit); is {
			r.block(literal.Body)
			return false
		}
		return true
	})
}

// operands guards each operand of an || by itself.
func (r *rewriter) operands(e ast.Expr) ast.Expr {
	all := split(e, token.LOR)
	for i, operand := range all {
		all[i] = r.guard(operand, r.text(operand))
	}
	return join(all)
}

func split(e ast.Expr, op token.Token) []ast.Expr {
	if b, is := e.(*ast.BinaryExpr); is && b.Op == op {
		return append(split(b.X, op), split(b.Y, op)...)
	}
	return []ast.Expr{e}
}

func join(all []ast.Expr) ast.Expr {
	out := all[0]
	for _, e := range all[1:] {
		out = &ast.BinaryExpr{X: out, Op: token.LOR, Y: e}
	}
	return out
}

func (r *rewriter) guard(e ast.Expr, what string) ast.Expr {
	return &ast.BinaryExpr{X: &ast.ParenExpr{X: e}, Op: token.LAND, Y: r.on(what)}
}

func (r *rewriter) guarded(s ast.Stmt, what string) ast.Stmt {
	return &ast.IfStmt{Cond: r.on(what), Body: &ast.BlockStmt{List: []ast.Stmt{s}}}
}

// on is the call that asks whether a check is on.
func (r *rewriter) on(what string) ast.Expr {
	name := r.file + ": " + r.in.Name.Name + ": " + what
	if r.seen[name]++; r.seen[name] > 1 {
		name += fmt.Sprintf(" (%d)", r.seen[name])
	}
	row := ast.Expr(&ast.BasicLit{Kind: token.STRING, Value: `""`})
	switch expression, walks := rows[r.in.Name.Name]; {
	case walks && (r.in.Name.Name != "check" || strings.Contains(what, "present")) && !strings.Contains(what, "ContainsFunc"):
		row, _ = parser.ParseExpr(expression)
		r.checks = append(r.checks, name+" *")
	case len(r.loops) > 0:
		l := r.loops[len(r.loops)-1]
		var list []string
		for _, text := range l.rows {
			list = append(list, strconv.Quote(text))
			r.checks = append(r.checks, name+" ["+text+"]")
		}
		row, _ = parser.ParseExpr("[]string{" + strings.Join(list, ",") + "}[" + l.index + "]")
	default:
		r.checks = append(r.checks, name)
	}
	return &ast.CallExpr{Fun: ast.NewIdent("checkIsOn"), Args: []ast.Expr{&ast.BasicLit{Kind: token.STRING, Value: strconv.Quote(name)}, row}}
}

// ending gives a function that would end without a result one that refuses
// nothing.
func (r *rewriter) ending(f *ast.FuncDecl) {
	last, guarded := f.Body.List[len(f.Body.List)-1].(*ast.IfStmt)
	if f.Type.Results == nil || !guarded {
		return
	}
	if call, is := last.Cond.(*ast.CallExpr); is && r.text(call.Fun) == "checkIsOn" {
		var zero []ast.Expr
		for _, result := range f.Type.Results.List {
			zero = append(zero, &ast.StarExpr{X: &ast.CallExpr{Fun: ast.NewIdent("new"), Args: []ast.Expr{result.Type}}})
		}
		f.Body.List = append(f.Body.List, &ast.ReturnStmt{Results: zero})
	}
}

// text is the source of a node in one line, shortened.
func (r *rewriter) text(n ast.Node) string {
	var out bytes.Buffer
	if err := printer.Fprint(&out, r.set, n); err != nil {
		return err.Error()
	}
	text := strings.Join(strings.Fields(out.String()), " ")
	if i := strings.Index(text, "\", \""); i > 0 && len(text) > 80 {
		text = text[:i+1] + ")"
	}
	return text
}
