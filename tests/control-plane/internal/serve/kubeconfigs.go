package serve

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// tokens are the bearer tokens of the two users that have one.
type tokens struct {
	admin string // token-admin, in system:masters
	plain string // token-joe, without any rights
}

// writeTokenFile makes the file for --token-auth-file: two users of our own,
// and the lines of the caller's file. Tokens given out before stay as they are.
func writeTokenFile(path, extra string) (tokens, error) {
	known := tokens{}
	if data, err := os.ReadFile(path); err == nil {
		for _, line := range strings.Split(string(data), "\n") {
			switch f := strings.Split(line, ","); {
			case len(f) < 3:
			case f[1] == "token-admin":
				known.admin = f[0]
			case f[1] == "token-joe":
				known.plain = f[0]
			}
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return known, err
	}
	for _, t := range []*string{&known.admin, &known.plain} {
		if *t == "" {
			random := make([]byte, 16)
			if _, err := rand.Read(random); err != nil {
				return known, err
			}
			*t = hex.EncodeToString(random)
		}
	}
	content := fmt.Sprintf("%s,token-admin,token-admin,system:masters\n%s,token-joe,token-joe\n", known.admin, known.plain)
	if extra != "" {
		more, err := os.ReadFile(extra)
		if err != nil {
			return known, err
		}
		content += string(more)
	}
	return known, os.WriteFile(path, []byte(content), 0o600)
}

// kubeconfig is what the files of one control plane share.
type kubeconfig struct {
	dir    string
	server string
	pki    *pki
}

// withCertificate writes a kubeconfig that holds the client certificate name.
func (k kubeconfig) withCertificate(file, name string) error {
	cert, err := os.ReadFile(k.pki.cert(name))
	if err != nil {
		return err
	}
	key, err := os.ReadFile(k.pki.key(name))
	if err != nil {
		return err
	}
	return k.write(file, name, &clientcmdapi.AuthInfo{ClientCertificateData: cert, ClientKeyData: key})
}

// withCertificateFiles is the same with paths in the place of data.
func (k kubeconfig) withCertificateFiles(file, name string) error {
	return k.write(file, name, &clientcmdapi.AuthInfo{ClientCertificate: k.pki.cert(name), ClientKey: k.pki.key(name)})
}

// withToken writes a kubeconfig that holds a bearer token.
func (k kubeconfig) withToken(file, name, token string) error {
	return k.write(file, name, &clientcmdapi.AuthInfo{Token: token})
}

func (k kubeconfig) write(file, user string, auth *clientcmdapi.AuthInfo) error {
	ca, err := os.ReadFile(k.pki.cert("ca"))
	if err != nil {
		return err
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["pintle"] = &clientcmdapi.Cluster{Server: k.server, CertificateAuthorityData: ca}
	config.AuthInfos[user] = auth
	config.Contexts["pintle"] = &clientcmdapi.Context{Cluster: "pintle", AuthInfo: user, Namespace: "default"}
	config.CurrentContext = "pintle"
	path := filepath.Join(k.dir, file)
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
