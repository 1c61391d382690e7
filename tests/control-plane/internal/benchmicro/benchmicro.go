// Package benchmicro is not there yet.
package benchmicro

import "errors"

// Main runs the command.
func Main(args []string) error { return errors.New("not there yet") }
