// Package export writes the facts of the Kubernetes release this program is
// built of: its API types as the Go source has them, and what its API server
// says of itself in discovery and OpenAPI, and its flags.
package export

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// Main runs the export command.
func Main(args []string) error {
	f := flag.NewFlagSet("export", flag.ContinueOnError)
	out := f.String("out", "", "folder to write to; made when missing")
	module := f.String("module-dir", ".", "this program's source folder, whose go.mod says which Go modules to read")
	server := f.String("server", "", "kubeconfig of a server with default flags, instead of one started for this")
	only := f.String("only", "", "types, servers or flags: only that part")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *out == "" {
		return errors.New("--out is missing")
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	if *only == "" || *only == "flags" {
		count, err := writeFlags(filepath.Join(*out, "kube-apiserver-flags.tsv"))
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%d flags\n", count)
	}
	if *only == "flags" {
		return nil
	}
	if *only != "servers" {
		packages, err := readTypes(*module)
		if err != nil {
			return err
		}
		if err := writeJSON(filepath.Join(*out, "go-types.json"), packages); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%d packages\n", len(packages))
	}
	if *only == "types" {
		return nil
	}
	if *server != "" {
		if err := exportServer(*server, filepath.Join(*out, "default"), true); err != nil {
			return err
		}
	} else if err := withServer(nil, func(kubeconfig string) error {
		return exportServer(kubeconfig, filepath.Join(*out, "default"), true)
	}); err != nil {
		return err
	}
	return withServer([]string{"--everything"}, func(kubeconfig string) error {
		return exportServer(kubeconfig, filepath.Join(*out, "all"), false)
	})
}
