package serve

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// options are the flags of serve.
type options struct {
	dir               string
	port              int
	etcdPort          int
	tokenAuthFile     string
	features          many
	runtimeConfig     many
	everything        bool
	controllerManager bool
	uncached          many
	watchCache        bool
	apiServerFlags    many
	managerFlags      many
	etcdFlags         many
	exitWithStdin     bool
	patience          time.Duration
}

// many is a flag that can be given several times.
type many []string

func (m *many) String() string     { return strings.Join(*m, ",") }
func (m *many) Set(v string) error { *m = append(*m, v); return nil }

func parseOptions(args []string) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("serve", flag.ContinueOnError)
	f.StringVar(&o.dir, "dir", "", "folder for data, keys, logs and kubeconfigs (made when missing; used again when not)")
	f.IntVar(&o.port, "port", 0, "port of the API server on 127.0.0.1 (0: any free one)")
	f.IntVar(&o.etcdPort, "etcd-port", 0, "port of etcd's clients on 127.0.0.1 (0: any free one)")
	f.StringVar(&o.tokenAuthFile, "token-auth-file", "", "more static tokens: lines of token,user,uid[,\"group,group\"]")
	f.Var(&o.features, "feature", "feature gate as Name=true or Name=false; repeatable")
	f.Var(&o.runtimeConfig, "runtime-config", "API version or resource as group/version=true; repeatable")
	f.BoolVar(&o.everything, "everything", false, "every API version, every alpha and beta feature")
	f.BoolVar(&o.controllerManager, "controller-manager", true, "run kube-controller-manager; without it no ServiceAccount is needed to create Pods")
	f.BoolVar(&o.watchCache, "watch-cache", true, "let the API server cache; without, all reads and watches go to etcd")
	f.Var(&o.uncached, "uncached", "a resource[.group] of a built-in kind the API server shall not cache; repeatable")
	f.Var(&o.apiServerFlags, "kube-apiserver-flag", "one more --flag=value for kube-apiserver; repeatable")
	f.Var(&o.managerFlags, "kube-controller-manager-flag", "one more --flag=value for kube-controller-manager; repeatable")
	f.Var(&o.etcdFlags, "etcd-flag", "one more --flag=value for etcd; repeatable")
	f.BoolVar(&o.exitWithStdin, "exit-with-stdin", false, "stop when standard input ends")
	f.DurationVar(&o.patience, "ready-timeout", 2*time.Minute, "how long the start may take")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if o.dir == "" {
		return nil, errors.New("--dir is missing")
	}
	dir, err := filepath.Abs(o.dir)
	o.dir = dir
	return o, err
}

// featureGates is the value of --feature-gates, empty for the defaults.
func (o *options) featureGates() string {
	gates := o.features
	if o.everything {
		gates = append(many{"AllAlpha=true", "AllBeta=true"}, gates...)
	}
	return strings.Join(gates, ",")
}
