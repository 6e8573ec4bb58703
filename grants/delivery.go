package grants

// Delivery is how an object reaches whom it is for.
type Delivery int

const (
	// AsDeployed leaves it to the deployment. It is the zero value.
	AsDeployed Delivery = iota
	// ByRoute has the proxy stream the object: nothing signed leaves it.
	ByRoute
	// ByRedirect sends the browser to the store with a signed location.
	ByRedirect
	// ByHeader tells the application a signed location, in a request header.
	ByHeader
)
