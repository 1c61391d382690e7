package export

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// withServer runs this program's serve command in a temporary folder for as
// long as use takes.
func withServer(flags []string, use func(kubeconfig string) error) error {
	dir, err := os.MkdirTemp("", "pintle-export-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	serve := exec.Command(self, append([]string{"serve", "--exit-with-stdin", "--controller-manager=false", "--dir", dir}, flags...)...)
	serve.Stderr = os.Stderr
	stdin, err := serve.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := serve.StdoutPipe()
	if err != nil {
		return err
	}
	if err := serve.Start(); err != nil {
		return err
	}
	defer func() {
		_ = stdin.Close()
		_ = serve.Wait()
	}()
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("no server: %w", err)
	}
	var ready struct {
		Kubeconfig string `json:"kubeconfig"`
	}
	if err := json.Unmarshal(line, &ready); err != nil {
		return err
	}
	return use(ready.Kubeconfig)
}

// versionedPath are the OpenAPI v3 documents that describe kinds, and the three
// that stand above them.
var versionedPath = regexp.MustCompile(`^(api|apis|version|api/[^/]+|apis/[^/]+/[^/]+)$`)

// exportServer writes a server's documents to a folder.
func exportServer(kubeconfig, dir string, v3 bool) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	client, err := rest.UnversionedRESTClientFor(withAnyCodec(config))
	if err != nil {
		return err
	}
	get := func(path, accept string) (json.RawMessage, error) {
		data, err := client.Get().AbsPath(path).SetHeader("Accept", accept).DoRaw(context.Background())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return data, nil
	}
	save := func(path, accept, file string) error {
		data, err := get(path, accept)
		if err != nil {
			return err
		}
		return writeJSON(filepath.Join(dir, file), data)
	}
	const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
	for _, document := range [][3]string{
		{"/api", aggregated, "discovery-api.json"},
		{"/apis", aggregated, "discovery-apis.json"},
		{"/openapi/v2", "application/json", "openapi-v2.json"},
	} {
		if err := save(document[0], document[1], document[2]); err != nil {
			return err
		}
	}
	if !v3 {
		return nil
	}
	data, err := get("/openapi/v3", "application/json")
	if err != nil {
		return err
	}
	var index struct {
		Paths map[string]struct{} `json:"paths"`
	}
	if err := json.Unmarshal(data, &index); err != nil {
		return err
	}
	for path := range index.Paths {
		if !versionedPath.MatchString(path) {
			continue
		}
		file := strings.ReplaceAll(path, "/", "_") + ".json"
		if err := save("/openapi/v3/"+path, "application/json", filepath.Join("openapi-v3", file)); err != nil {
			return err
		}
	}
	return nil
}

// writeJSON writes a value with an indent of one space, keys as they come.
func writeJSON(path string, value any) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(value); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// withAnyCodec gives a config the codec that a REST client insists on; only raw
// bytes are read through it.
func withAnyCodec(config *rest.Config) *rest.Config {
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	return config
}
