package serve

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// ParentPipeVariable names the environment variable that tells a child the file
// descriptor of the pipe it shares with serve.
const ParentPipeVariable = "PINTLE_PARENT_PIPE"

// family starts processes that do not outlive this one.
type family struct {
	program string
	logs    string
	child   *os.File // every child's reading end
	self    *os.File // held open while this process lives
}

func newFamily(logs string) (*family, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return nil, err
	}
	reading, writing, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &family{program: program, logs: logs, child: reading, self: writing}, nil
}

// process is one running component.
type process struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// start runs this very program under another name, with its output in a log.
func (f *family) start(name string, args []string) (*process, error) {
	p := &process{name: name, log: filepath.Join(f.logs, name+".log"), done: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = &exec.Cmd{
		Path:       f.program,
		Args:       append([]string{name}, args...),
		Env:        append(os.Environ(), ParentPipeVariable+"=3"),
		Stdout:     log,
		Stderr:     log,
		ExtraFiles: []*os.File{f.child},
		// A group of its own, so that Ctrl-C reaches serve alone and the
		// components stop in order.
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop asks the process to end and waits; past the patience it kills it.
func (p *process) stop(patience time.Duration) {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// ended describes a process that stopped by itself, with the end of its log.
func (p *process) ended() error {
	return fmt.Errorf("%s ended by itself (%v); the end of %s:\n%s", p.name, p.cmd.ProcessState, p.log, tail(p.log, 20))
}

// tail reads the last lines of a file, as far as 16 KiB hold them.
func tail(path string, lines int) []byte {
	file, err := os.Open(path)
	if err != nil {
		return []byte(err.Error())
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > 16<<10 {
		_, _ = file.Seek(-16<<10, io.SeekEnd)
	}
	data, _ := io.ReadAll(file)
	all := bytes.Split(bytes.TrimRight(data, "\n"), []byte("\n"))
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return bytes.Join(all, []byte("\n"))
}
