// Command client-go-bench has the commands bench-client, bench-micro and follow in a
// program with nothing but client-go in it, so that neither the size nor the
// start of the control plane counts in what they measure.
package main

import (
	"fmt"
	"os"

	"pintle/control-plane/internal/benchclient"
	"pintle/control-plane/internal/benchmicro"
)

var commands = map[string]func(args []string) error{
	"bench-client": benchclient.Main,
	"bench-micro":  benchmicro.Main,
	"follow":       benchclient.Follow,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: client-go-bench bench-client|bench-micro|follow [flags]")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "client-go-bench %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}
