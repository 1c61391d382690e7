package main

import (
	"io"
	"os"
	"strconv"
	"syscall"
	"time"

	"pintle/control-plane/internal/serve"
)

// exitWithParent ends this process soon after the one that started it has gone,
// however that ended: serve hands each child the reading end of a pipe and
// keeps the writing end, which the kernel closes with it.
func exitWithParent() {
	value, ok := os.LookupEnv(serve.ParentPipeVariable)
	if !ok {
		return
	}
	os.Unsetenv(serve.ParentPipeVariable)
	fd, err := strconv.Atoi(value)
	if err != nil {
		return
	}
	pipe := os.NewFile(uintptr(fd), "parent")
	syscall.CloseOnExec(fd)
	go func() {
		_, _ = io.Copy(io.Discard, pipe)
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		time.Sleep(2 * time.Second)
		os.Exit(1)
	}()
}
