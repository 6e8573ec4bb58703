package deletion

import (
	"go/ast"
	"go/token"
	"slices"
)

// makers are the functions and types with which package saml says no.
var makers = []string{"malformed", "forbidden", "unacceptable", "unexpected", "refusal.New", "errors.New", "fmt.Errorf", "library"}

// notChecks only choose the words of a refusal that is certain already.
var notChecks = []string{"guard", "explain", "configured", "malformed", "forbidden", "unacceptable", "unexpected", "ParseMetadata", "sentence"}

func refusesAtEnd(list []ast.Stmt) bool {
	if len(list) == 0 {
		return false
	}
	switch s := list[len(list)-1].(type) {
	case *ast.ReturnStmt:
		return refuses(s) || len(list) > 1 && assignsRefusal(list[0])
	case *ast.AssignStmt:
		return assignsRefusal(s)
	}
	return false
}

func assignsRefusal(s ast.Stmt) bool {
	a, is := s.(*ast.AssignStmt)
	return is && a.Tok == token.ASSIGN && len(a.Rhs) == 1 && makes(a.Rhs[0])
}

func refuses(s *ast.ReturnStmt) bool {
	return slices.ContainsFunc(s.Results, makes)
}

// makes says whether an expression makes a refusal.
func makes(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			found = found || slices.Contains(makers, callee(n.Fun))
		case *ast.CompositeLit:
			found = found || n.Type != nil && slices.Contains(makers, callee(n.Type))
		}
		return !found
	})
	return found
}

func callee(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		if x, is := e.X.(*ast.Ident); is {
			return x.Name + "." + e.Sel.Name
		}
	}
	return ""
}
