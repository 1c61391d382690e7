package export

import (
	"bufio"
	"fmt"
	"os"
	"sort"

	"github.com/spf13/pflag"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// writeFlags writes the flags of kube-apiserver, one a line: name, letter,
// type, the value it has when it is given without one, and whether it is
// hidden from help, with tabs between them.
func writeFlags(path string) (int, error) {
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	var lines []string
	command := apiserver.NewAPIServerCommand()
	command.InitDefaultHelpFlag()
	command.Flags().VisitAll(func(f *pflag.Flag) {
		hidden := ""
		if f.Hidden || f.Deprecated != "" {
			hidden = "hidden"
		}
		lines = append(lines, fmt.Sprintf("%s\t%s\t%s\t%s\t%s",
			f.Name, f.Shorthand, f.Value.Type(), f.NoOptDefVal, hidden))
	})
	sort.Strings(lines)
	out := bufio.NewWriter(file)
	for _, line := range lines {
		fmt.Fprintln(out, line)
	}
	return len(lines), out.Flush()
}
