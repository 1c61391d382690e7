// Command answer is the answer command of pintle-control-plane alone, which
// links in seconds: for work on the functions themselves. It is called in the
// same way, as "answer answer".
package main

import (
	"fmt"
	"os"

	"pintle/control-plane/internal/answer"
)

func main() {
	if len(os.Args) < 2 || os.Args[1] != "answer" {
		fmt.Fprintln(os.Stderr, "usage: answer answer [--list]")
		os.Exit(2)
	}
	if err := answer.Main(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "answer:", err)
		os.Exit(1)
	}
}
