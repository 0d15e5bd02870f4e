package main

import (
	"fmt"
	"net"
	"net/http"

	"google.golang.org/grpc"
	corev1 "k8s.io/api/core/v1"

	"istio.io/istio/pilot/pkg/autoregistration"
	"istio.io/istio/pilot/pkg/bootstrap"
	configaggregate "istio.io/istio/pilot/pkg/config/aggregate"
	"istio.io/istio/pilot/pkg/config/kube/crdclient"
	"istio.io/istio/pilot/pkg/controllers/ipallocate"
	"istio.io/istio/pilot/pkg/features"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/networking/core"
	"istio.io/istio/pilot/pkg/server"
	"istio.io/istio/pilot/pkg/serviceregistry/aggregate"
	kubecontroller "istio.io/istio/pilot/pkg/serviceregistry/kube/controller"
	"istio.io/istio/pilot/pkg/serviceregistry/serviceentry"
	"istio.io/istio/pilot/pkg/xds"
	"istio.io/istio/pkg/config/constants"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/config/mesh/meshwatcher"
	"istio.io/istio/pkg/config/schema/collections"
	"istio.io/istio/pkg/config/schema/kind"
	"istio.io/istio/pkg/keepalive"
	kubelib "istio.io/istio/pkg/kube"
	"istio.io/istio/pkg/kube/kclient"
	"istio.io/istio/pkg/kube/krt"
	"istio.io/istio/pkg/kube/multicluster"
	"istio.io/istio/pkg/kube/namespace"
	"istio.io/istio/pkg/util/sets"
)

const (
	// home is the namespace that istiod believes to run in.
	home = "istio-system"
	// self is the name that it believes to have.
	self = "istiod"
)

// cluster is a running control plane and its API server.
type cluster struct {
	api       *api
	discovery *xds.DiscoveryServer
	// synced are the parts that must have read everything before anything can be said of the whole.
	synced []func() bool
	socket net.Listener
	server *grpc.Server
	done   chan struct{}
	probes int
}

// startCluster starts what istiod consists of as far as names and addresses are concerned, connected as istiod connects
// it (pilot/pkg/bootstrap): objects from the API server, services of Kubernetes and of ServiceEntries, the allocator
// that writes status.addresses if it is switched on, and discovery. What is left out has no part in them: certificates,
// injection, gateways, and the election of the one that allocates, since there is nobody else.
func startCluster(api *api) (*cluster, error) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &cluster{api: api, socket: socket, done: make(chan struct{})}
	if err := c.start(); err != nil {
		c.stop()
		return nil, fmt.Errorf("istiod does not start: %w", err)
	}
	return c, nil
}

func (c *cluster) start() error {
	debugger := new(krt.DebugHandler)
	environment := model.NewEnvironment()
	environment.DomainSuffix = domain
	settings := krt.NewStatic(&meshwatcher.MeshConfigResource{MeshConfig: mesh.DefaultMeshConfig()}, true)
	environment.Watcher = meshwatcher.ConfigAdapter(settings)
	environment.NetworksWatcher = meshwatcher.NewFixedNetworksWatcher(nil)
	environment.AmbientIndexes = &model.NoopAmbientIndexes{}

	c.discovery = xds.NewDiscoveryServer(environment, nil, debugger)
	c.discovery.DebounceOptions.DebounceAfter = 0

	client := c.api.client
	kubelib.SetObjectFilter(client, namespace.NewDiscoveryNamespacesFilter(
		kclient.New[*corev1.Namespace](client), environment.Watcher, c.done))
	clusters := multicluster.NewController(multicluster.ControllerOptions{
		Client:          client,
		ClusterID:       constants.DefaultClusterName,
		SystemNamespace: home,
		MeshConfig:      environment.Watcher,
		Debugger:        debugger,
	})

	objects := crdclient.NewForSchemas(client,
		crdclient.Option{DomainSuffix: domain, Identifier: self, KrtDebugger: debugger}, collections.Pilot)
	store, err := configaggregate.MakeCache([]model.ConfigStoreController{objects})
	if err != nil {
		return err
	}
	virtual := model.NewVirtualServiceController(store,
		model.VSControllerOptions{KrtDebugger: debugger, XDSUpdater: c.discovery}, environment.Watcher)
	environment.ConfigStore = store
	environment.VirtualServiceController = virtual

	services := aggregate.NewController(aggregate.Options{
		MeshHolder: environment, ConfigClusterID: constants.DefaultClusterName,
	})
	environment.ServiceDiscovery = services
	environment.Init()
	if err := environment.InitNetworksManager(c.discovery); err != nil {
		return err
	}
	entries := serviceentry.NewController(store, c.discovery, clusters, environment.Watcher,
		serviceentry.WithClusterID(constants.DefaultClusterName), serviceentry.WithKRTDebugger(debugger))
	services.AddRegistry(entries)
	kubecontroller.NewMulticluster(self, kubecontroller.Options{
		SystemNamespace:       home,
		MeshServiceController: services,
		DomainSuffix:          domain,
		ClusterID:             constants.DefaultClusterName,
		Metrics:               environment,
		XDSUpdater:            c.discovery,
		MeshNetworksWatcher:   environment.NetworksWatcher,
		MeshWatcher:           environment.Watcher,
		KrtDebugger:           debugger,
	}, entries, nil, "", false, environment.ClusterLocal(), server.New(), clusters)
	services.AppendServiceHandler(c.pushService)

	c.discovery.WorkloadEntryController = autoregistration.NewController(store, self, keepalive.Infinity)
	bootstrap.InitGenerators(c.discovery, core.NewConfigGenerator(c.discovery.Cache), home,
		constants.DefaultClusterName, http.NewServeMux())

	c.synced = []func() bool{store.HasSynced, virtual.HasSynced, services.HasSynced, clusters.HasSynced}
	if features.EnableIPAutoallocate {
		allocator := ipallocate.NewIPAllocator(c.done, client)
		c.synced = append(c.synced, allocator.HasSynced)
		go allocator.Run(c.done)
	}
	if err := clusters.Run(c.done); err != nil {
		return err
	}
	go services.Run(c.done)
	go store.Run(c.done)
	go virtual.Run(c.done)
	c.discovery.Start(c.done)
	client.RunAndWait(c.done)

	c.server = grpc.NewServer()
	c.discovery.Register(c.server)
	go func() {
		// Ends with the socket, which nothing but stop closes.
		_ = c.server.Serve(c.socket)
	}()
	return nil
}

// pushService has proxies told of a changed service.
func (c *cluster) pushService(_, changed *model.Service, _ model.Event) {
	c.discovery.ConfigUpdate(&model.PushRequest{
		ConfigsUpdated: sets.New(model.ConfigKey{
			Kind: kind.ServiceEntry, Name: string(changed.Hostname), Namespace: changed.Attributes.Namespace,
		}),
		Reason: model.NewReasonStats(model.ServiceUpdate),
	})
}

// address is where xDS is served.
func (c *cluster) address() string {
	return c.socket.Addr().String()
}

// stop ends everything; proxies see their streams end.
func (c *cluster) stop() {
	if c.server != nil {
		c.server.Stop()
	}
	_ = c.socket.Close()
	close(c.done)
	if c.discovery != nil {
		c.discovery.Shutdown()
	}
	c.api.client.Shutdown()
}
