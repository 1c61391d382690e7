// Package answer lets other programs ask what a function of Go's Kubernetes
// libraries returns: a request a line on standard input, an answer a line on
// standard output, in the same order.
//
//	{"id":1,"fn":"quantity.parse","in":"1500m"}
//	{"id":1,"out":{...}}
//	{"id":2,"error":"..."}
package answer

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"
)

// request asks for one call. The id is any JSON value and comes back as it is.
type request struct {
	ID json.RawMessage `json:"id"`
	Fn string          `json:"fn"`
	In json.RawMessage `json:"in"`
}

// response has either out or error. Error is the text of Go's error; a request
// that could not be understood has "bad" beside it, so that the two differ.
type response struct {
	ID    json.RawMessage `json:"id,omitempty"`
	Out   any             `json:"out,omitempty"`
	Error *string         `json:"error,omitempty"`
	Bad   bool            `json:"bad,omitempty"`
}

// function takes the input and returns what is to be the output. An error of a
// type other than badInput is the function's own answer.
type function func(in json.RawMessage) (any, error)

// badInput is an input that is not of the function's shape.
type badInput struct{ error }

// Main runs the answer command.
func Main(args []string) error {
	if len(args) > 0 && args[0] == "--list" {
		for _, name := range names() {
			fmt.Println(name)
		}
		return nil
	}
	return serve(os.Stdin, os.Stdout)
}

func names() []string {
	var all []string
	for name := range functions {
		all = append(all, name)
	}
	sort.Strings(all)
	return all
}

// serve answers until the input ends. Output is flushed whenever no request is
// waiting, so that both a dialogue and a long file are fast.
func serve(in io.Reader, out io.Writer) error {
	reader := bufio.NewReaderSize(in, 1<<20)
	writer := bufio.NewWriterSize(out, 1<<20)
	encoder := json.NewEncoder(writer)
	encoder.SetEscapeHTML(false)
	for {
		line, err := reader.ReadBytes('\n')
		if len(line) > 1 {
			r := answer(line)
			if err := encoder.Encode(r); err != nil {
				// Nothing is written yet: the output is not JSON, such as an infinity.
				if err := encoder.Encode(bad(r.ID, err)); err != nil {
					return err
				}
			}
		}
		if err == io.EOF {
			return writer.Flush()
		}
		if err != nil {
			return err
		}
		if reader.Buffered() == 0 {
			if err := writer.Flush(); err != nil {
				return err
			}
		}
	}
}

func answer(line []byte) (r response) {
	var q request
	if err := json.Unmarshal(line, &q); err != nil {
		return bad(nil, err)
	}
	run, ok := functions[q.Fn]
	if !ok {
		return bad(q.ID, fmt.Errorf("no function %q", q.Fn))
	}
	defer func() {
		if p := recover(); p != nil {
			text := fmt.Sprintf("panic: %v", p)
			r = response{ID: q.ID, Error: &text}
		}
	}()
	result, err := run(q.In)
	if b, ok := err.(badInput); ok {
		return bad(q.ID, b)
	}
	if err != nil {
		text := err.Error()
		return response{ID: q.ID, Error: &text}
	}
	return response{ID: q.ID, Out: result}
}

func bad(id json.RawMessage, err error) response {
	text := err.Error()
	return response{ID: id, Error: &text, Bad: true}
}

// of makes a function of one that takes a typed input.
func of[In any](run func(In) (any, error)) function {
	return func(raw json.RawMessage) (any, error) {
		var in In
		if err := json.Unmarshal(raw, &in); err != nil {
			return nil, badInput{err}
		}
		return run(in)
	}
}
