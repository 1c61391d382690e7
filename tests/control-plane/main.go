// Command pintle-control-plane is the real Kubernetes the tests of pintle
// compare themselves with: etcd, kube-apiserver, kube-controller-manager and
// kubectl in one program, and with them the commands that let Go answer what a
// Rust implementation must agree with.
//
// It goes by several names. Called as etcd, kube-apiserver,
// kube-controller-manager or kubectl (through a symbolic link, or with that
// name as its zeroth argument) it is that program and takes that program's
// flags. Under any other name its first argument chooses a command; README.md
// describes them.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"pintle/control-plane/internal/answer"
	"pintle/control-plane/internal/benchapimachinery"
	"pintle/control-plane/internal/benchclient"
	"pintle/control-plane/internal/benchmicro"
	"pintle/control-plane/internal/export"
	"pintle/control-plane/internal/serve"
	"pintle/control-plane/internal/vectors"
)

// command is one of the program's own commands: it gets the arguments behind
// its name and returns an error that ends the program with exit status 1.
type command struct {
	name string
	what string
	run  func(args []string) error
}

var commands = []command{
	{"serve", "run a control plane until told to stop", serve.Main},
	{"compact", "make every resourceVersion handed out so far too old for etcd", serve.CompactMain},
	{"restart", "restart the kube-apiserver of a running serve", serve.RestartMain},
	{"vectors", "write random objects of every kind in JSON, YAML and protobuf", vectors.Main},
	{"export", "write the facts of this Kubernetes release as JSON", export.Main},
	{"bench-client", "measure a client-go informer", benchclient.Main},
	{"bench-micro", "measure client-go in the small", benchmicro.Main},
	{"bench-apimachinery", "measure codecs, selectors, patches and structured merge", benchapimachinery.Main},
	{"answer", "answer requests with what Go returns, one JSON per line", answer.Main},
}

func main() {
	exitWithParent()
	if run, ok := components[filepath.Base(os.Args[0])]; ok {
		os.Exit(run())
	}
	if len(os.Args) < 2 {
		usage()
		os.Exit(2)
	}
	name := os.Args[1]
	if run, ok := components[name]; ok {
		os.Args = os.Args[1:]
		os.Exit(run())
	}
	for _, c := range commands {
		if c.name != name {
			continue
		}
		if err := c.run(os.Args[2:]); err != nil {
			fmt.Fprintf(os.Stderr, "pintle-control-plane %s: %v\n", name, err)
			os.Exit(1)
		}
		return
	}
	usage()
	os.Exit(2)
}

func usage() {
	var b strings.Builder
	b.WriteString("usage: pintle-control-plane COMMAND [flags]\n\n")
	for _, c := range commands {
		fmt.Fprintf(&b, "  %-14s %s\n", c.name, c.what)
	}
	b.WriteString("\nand, with their own flags: etcd, kube-apiserver, kube-controller-manager, kubectl\n")
	fmt.Fprint(os.Stderr, b.String())
}
