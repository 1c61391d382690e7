// Package export is not there yet.
package export

import "errors"

// Main runs the command.
func Main(args []string) error { return errors.New("not there yet") }
