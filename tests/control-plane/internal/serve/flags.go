package serve

import (
	"fmt"
	"path/filepath"
	"strings"
)

// issuer of service-account tokens.
const issuer = "https://kubernetes.default.svc.cluster.local"

func (c *controlPlane) etcdArgs() []string {
	args := []string{
		"--name=pintle",
		"--data-dir=" + filepath.Join(c.dir, "etcd"),
		"--listen-client-urls=" + c.etcdURL,
		"--advertise-client-urls=" + c.etcdURL,
		"--listen-peer-urls=" + c.peerURL,
		"--initial-advertise-peer-urls=" + c.peerURL,
		"--initial-cluster=pintle=" + c.peerURL,
		"--unsafe-no-fsync=true",
		"--log-level=warn",
	}
	return append(args, c.etcdFlags...)
}

func (c *controlPlane) apiServerArgs() []string {
	args := []string{
		"--etcd-servers=" + c.etcdURL,
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", c.port),
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none", // loopback cannot be an endpoint
		"--client-ca-file=" + c.pki.cert("ca"),
		"--tls-cert-file=" + c.pki.cert("apiserver"),
		"--tls-private-key-file=" + c.pki.key("apiserver"),
		"--token-auth-file=" + filepath.Join(c.dir, "tokens.csv"),
		"--service-account-issuer=" + issuer,
		"--service-account-key-file=" + filepath.Join(c.pki.dir, "service-account.pub"),
		"--service-account-signing-key-file=" + c.pki.key("service-account"),
		"--service-cluster-ip-range=10.0.0.0/16",
		"--authorization-mode=RBAC",
		"--allow-privileged=true",
		// Open watches would keep a stopping server for a minute otherwise.
		"--shutdown-watch-termination-grace-period=200ms",
		"--requestheader-client-ca-file=" + c.pki.cert("ca"),
		"--requestheader-allowed-names=front-proxy",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + c.pki.cert("front-proxy"),
		"--proxy-client-key-file=" + c.pki.key("front-proxy"),
	}
	if !c.controllerManager {
		args = append(args, "--disable-admission-plugins=ServiceAccount")
	}
	if gates := c.featureGates(); gates != "" {
		args = append(args, "--feature-gates="+gates)
	}
	if config := c.runtimeConfigs(); config != "" {
		args = append(args, "--runtime-config="+config)
	}
	if !c.watchCache {
		args = append(args, "--watch-cache=false")
	}
	for _, resource := range c.uncached {
		args = append(args, "--watch-cache-sizes="+resource+"#0")
	}
	return append(args, c.apiServerFlags...)
}

func (c *controlPlane) runtimeConfigs() string {
	config := c.runtimeConfig
	if c.everything {
		config = append(many{"api/all=true"}, config...)
	}
	return strings.Join(config, ",")
}

func (c *controlPlane) controllerManagerArgs() []string {
	args := []string{
		"--kubeconfig=" + filepath.Join(c.dir, managerKubeconfig),
		"--authentication-skip-lookup=true",
		"--secure-port=0",
		"--leader-elect=false",
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + c.pki.key("service-account"),
		"--root-ca-file=" + c.pki.cert("ca"),
		"--cluster-signing-cert-file=" + c.pki.cert("ca"),
		"--cluster-signing-key-file=" + c.pki.key("ca"),
		"--kube-api-qps=500",
		"--kube-api-burst=1000",
	}
	if gates := c.featureGates(); gates != "" {
		args = append(args, "--feature-gates="+gates)
	}
	return append(args, c.managerFlags...)
}
