// Package answer is not there yet.
package answer

import "errors"

// Main runs the command.
func Main(args []string) error { return errors.New("not there yet") }
