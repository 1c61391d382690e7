// Package serve runs a control plane on the loopback interface: etcd,
// kube-apiserver and kube-controller-manager as children of this process, each
// under its own name, with keys, tokens and kubeconfigs made for it.
package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const (
	adminKubeconfig   = "kubeconfig"
	managerKubeconfig = "kubeconfig-controller-manager"
)

// stopPatience is how long a component may take to stop before it is killed.
const stopPatience = 20 * time.Second

// Main runs the serve command.
func Main(args []string) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	if o.exitWithStdin {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
	}
	restart := make(chan os.Signal, 1)
	signal.Notify(restart, syscall.SIGHUP)

	c, err := prepare(o)
	if err != nil {
		return err
	}
	defer c.stop()
	if err := c.start(ctx); err != nil {
		return c.unlessStopped(ctx, err)
	}
	for {
		if err := c.announce(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-c.etcd.done:
			return c.etcd.ended()
		case <-c.apiServer.done:
			return c.apiServer.ended()
		case <-doneOf(c.manager):
			return c.manager.ended()
		case <-restart:
			if err := c.restartAPIServer(ctx); err != nil {
				return c.unlessStopped(ctx, err)
			}
		}
	}
}

// doneOf is a nil channel, never ready, for a component that is not run.
func doneOf(p *process) <-chan struct{} {
	if p == nil {
		return nil
	}
	return p.done
}

// controlPlane is the running whole.
type controlPlane struct {
	*options
	family  *family
	pki     *pki
	tokens  tokens
	etcdURL string
	peerURL string

	etcd      *process
	apiServer *process
	manager   *process
	restarts  int
}

// prepare makes everything the components read: keys, tokens, kubeconfigs.
func prepare(o *options) (*controlPlane, error) {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return nil, err
	}
	c := &controlPlane{options: o}
	// A state file of a run before would mislead whoever reads it now.
	_ = os.Remove(statePath(o.dir))
	var err error
	if c.family, err = newFamily(filepath.Join(o.dir, "logs")); err != nil {
		return nil, err
	}
	if err := c.choosePorts(); err != nil {
		return nil, err
	}
	if c.pki, err = openPKI(filepath.Join(o.dir, "pki")); err != nil {
		return nil, err
	}
	if err := c.makeCredentials(); err != nil {
		return nil, err
	}
	return c, c.writeKubeconfigs()
}

func (c *controlPlane) makeCredentials() error {
	if err := c.pki.server("apiserver"); err != nil {
		return err
	}
	if err := c.pki.serviceAccountKeys("service-account"); err != nil {
		return err
	}
	for _, user := range []struct {
		file, name string
		groups     []string
	}{
		{"admin", "admin", []string{"system:masters"}},
		{"jane", "jane", nil},
		{"controller-manager", "system:kube-controller-manager", nil},
		{"front-proxy", "front-proxy", nil},
	} {
		if err := c.pki.client(user.file, user.name, user.groups...); err != nil {
			return fmt.Errorf("certificate of %s: %w", user.name, err)
		}
	}
	var err error
	c.tokens, err = writeTokenFile(filepath.Join(c.dir, "tokens.csv"), c.tokenAuthFile)
	return err
}

// kubeconfigFiles names the kubeconfigs by what is in them, as the ready line
// does.
var kubeconfigFiles = map[string]string{
	"admin":       adminKubeconfig,
	"admin-files": "kubeconfig-files",
	"admin-token": "kubeconfig-token",
	"jane":        "kubeconfig-jane",
	"joe-token":   "kubeconfig-joe-token",
	"anonymous":   "kubeconfig-anonymous",
}

func (c *controlPlane) writeKubeconfigs() error {
	k := kubeconfig{dir: c.dir, server: c.serverURL(), pki: c.pki}
	for _, write := range []error{
		k.withCertificate(adminKubeconfig, "admin"),
		k.withCertificateFiles(kubeconfigFiles["admin-files"], "admin"),
		k.withCertificate(kubeconfigFiles["jane"], "jane"),
		k.withCertificate(managerKubeconfig, "controller-manager"),
		k.withToken(kubeconfigFiles["admin-token"], "token-admin", c.tokens.admin),
		k.withToken(kubeconfigFiles["joe-token"], "token-joe", c.tokens.plain),
		k.withToken(kubeconfigFiles["anonymous"], "anonymous", ""),
	} {
		if write != nil {
			return write
		}
	}
	return nil
}

func (c *controlPlane) serverURL() string { return fmt.Sprintf("https://127.0.0.1:%d", c.port) }

// choosePorts asks the kernel for the ports that were not given. They are all
// held until the last is known, so that no two are the same.
func (c *controlPlane) choosePorts() error {
	peer := 0
	for _, port := range []*int{&c.port, &c.etcdPort, &peer} {
		if *port != 0 {
			continue
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer listener.Close()
		*port = listener.Addr().(*net.TCPAddr).Port
	}
	c.etcdURL = fmt.Sprintf("http://127.0.0.1:%d", c.etcdPort)
	c.peerURL = fmt.Sprintf("http://127.0.0.1:%d", peer)
	return nil
}

// start brings the components up one after the other.
func (c *controlPlane) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	var err error
	if c.etcd, err = c.family.start("etcd", c.etcdArgs()); err != nil {
		return err
	}
	if err := awaitOK(ctx, c.etcd, plainClient(), c.etcdURL+"/health"); err != nil {
		return err
	}
	if err := c.startAPIServer(ctx); err != nil {
		return err
	}
	if !c.controllerManager {
		return nil
	}
	if c.manager, err = c.family.start("kube-controller-manager", c.controllerManagerArgs()); err != nil {
		return err
	}
	// Pods need it, and it is the controllers' to make.
	client, err := c.adminClient()
	if err != nil {
		return err
	}
	return awaitOK(ctx, c.manager, client, c.serverURL()+"/api/v1/namespaces/default/serviceaccounts/default")
}

func (c *controlPlane) startAPIServer(ctx context.Context) error {
	var err error
	if c.apiServer, err = c.family.start("kube-apiserver", c.apiServerArgs()); err != nil {
		return err
	}
	client, err := c.adminClient()
	if err != nil {
		return err
	}
	return awaitOK(ctx, c.apiServer, client, c.serverURL()+"/readyz")
}

// restartAPIServer stops the API server and starts it again on the same port.
func (c *controlPlane) restartAPIServer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	c.apiServer.stop(stopPatience)
	c.restarts++
	return c.startAPIServer(ctx)
}

// stop ends the components, the users of a component before it.
func (c *controlPlane) stop() {
	c.manager.stop(stopPatience)
	c.apiServer.stop(stopPatience)
	c.etcd.stop(stopPatience)
	_ = os.Remove(statePath(c.dir))
}

// unlessStopped drops the error of something that was broken off on request.
func (c *controlPlane) unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// state is the ready line, and the content of the state file by which the other
// commands find a running control plane.
type state struct {
	Ready       bool              `json:"ready"`
	Server      string            `json:"server"`
	Etcd        string            `json:"etcd"`
	Kubeconfig  string            `json:"kubeconfig"`
	Kubeconfigs map[string]string `json:"kubeconfigs"`
	CA          string            `json:"ca"`
	CAKey       string            `json:"caKey"`
	PID         int               `json:"pid"`
	PIDs        map[string]int    `json:"pids"`
	Restarts    int               `json:"restarts"`
}

func statePath(dir string) string { return filepath.Join(dir, "control-plane.json") }

// announce prints the ready line and writes it to the state file.
func (c *controlPlane) announce() error {
	s := state{
		Ready:       true,
		Server:      c.serverURL(),
		Etcd:        c.etcdURL,
		Kubeconfig:  filepath.Join(c.dir, adminKubeconfig),
		Kubeconfigs: map[string]string{},
		CA:          c.pki.cert("ca"),
		CAKey:       c.pki.key("ca"),
		PID:         os.Getpid(),
		PIDs:        map[string]int{},
		Restarts:    c.restarts,
	}
	for name, file := range kubeconfigFiles {
		s.Kubeconfigs[name] = filepath.Join(c.dir, file)
	}
	for _, p := range []*process{c.etcd, c.apiServer, c.manager} {
		if p != nil {
			s.PIDs[p.name] = p.pid()
		}
	}
	line, err := json.Marshal(s)
	if err != nil {
		return err
	}
	temporary := statePath(c.dir) + ".new"
	if err := os.WriteFile(temporary, line, 0o600); err != nil {
		return err
	}
	if err := os.Rename(temporary, statePath(c.dir)); err != nil {
		return err
	}
	_, err = fmt.Printf("%s\n", line)
	return err
}
