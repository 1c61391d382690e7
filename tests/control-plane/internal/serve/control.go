package serve

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// CompactMain runs the compact command. It makes a new revision, so that every
// resourceVersion the API server has handed out is older, and has etcd forget
// all before it.
func CompactMain(args []string) error {
	s, err := running("compact", args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{s.Etcd}, Context: ctx, Logger: zap.NewNop()})
	if err != nil {
		return err
	}
	defer client.Close()
	// Outside /registry, where the API server does not look.
	put, err := client.Put(ctx, "pintle/compact", time.Now().String())
	if err != nil {
		return err
	}
	revision := put.Header.Revision
	if _, err := client.Compact(ctx, revision, clientv3.WithCompactPhysical()); err != nil {
		return err
	}
	_, err = fmt.Printf("{\"compacted\":%d}\n", revision)
	return err
}

// RestartMain runs the restart command: it asks a running serve to restart its
// API server, waits for that, and prints the new ready line.
func RestartMain(args []string) error {
	before, err := running("restart", args)
	if err != nil {
		return err
	}
	if err := syscall.Kill(before.PID, syscall.SIGHUP); err != nil {
		return err
	}
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		now, err := running("restart", args)
		if err != nil {
			return err
		}
		if now.Restarts > before.Restarts {
			return json.NewEncoder(os.Stdout).Encode(now)
		}
	}
	return errors.New("the API server did not come back")
}

// running reads the state file of the control plane in --dir.
func running(command string, args []string) (*state, error) {
	f := flag.NewFlagSet(command, flag.ContinueOnError)
	dir := f.String("dir", "", "the folder of a running serve")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if *dir == "" {
		return nil, errors.New("--dir is missing")
	}
	data, err := os.ReadFile(statePath(*dir))
	if err != nil {
		return nil, fmt.Errorf("no control plane runs in %s: %w", *dir, err)
	}
	s := &state{}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("%s: %w", statePath(*dir), err)
	}
	return s, nil
}
