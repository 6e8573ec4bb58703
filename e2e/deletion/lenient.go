package deletion

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
)

// Lenient gives the source of one file of gosaml2 without the rules of its own
// about values: issuer, audience, recipient, time and the like. What it says
// about signatures stays. The number is how many were taken out.
func Lenient(source []byte) ([]byte, int, error) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, "", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, 0, err
	}
	found := 0
	ast.Inspect(tree, func(n ast.Node) bool {
		if s, is := n.(*ast.IfStmt); is && ownRule(s.Body.List) {
			found++
			s.Cond = &ast.BinaryExpr{X: &ast.ParenExpr{X: s.Cond}, Op: token.LAND, Y: ast.NewIdent("false")}
		}
		return true
	})
	var out bytes.Buffer
	tree.Comments = nil
	if err := format.Node(&out, set, tree); err != nil {
		return nil, 0, err
	}
	return out.Bytes(), found, nil
}

// ownRule says whether a block refuses a value, or warns of one.
func ownRule(block []ast.Stmt) bool {
	if len(block) == 0 {
		return false
	}
	switch s := block[len(block)-1].(type) {
	case *ast.ReturnStmt:
		return slices.ContainsFunc(s.Results, func(e ast.Expr) bool {
			literal, is := e.(*ast.CompositeLit)
			return is && callee(literal.Type) == "ErrInvalidValue"
		})
	case *ast.AssignStmt:
		return slices.Contains([]string{"warningInfo.InvalidTime", "warningInfo.NotInAudience"}, callee(s.Lhs[0]))
	case *ast.BranchStmt:
		return ownRule(block[:len(block)-1])
	}
	return false
}
