// Package vectors is not there yet.
package vectors

import "errors"

// Main runs the command.
func Main(args []string) error { return errors.New("not there yet") }
