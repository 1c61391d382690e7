// Package benchclient is not there yet.
package benchclient

import "errors"

// Main runs the command.
func Main(args []string) error { return errors.New("not there yet") }
