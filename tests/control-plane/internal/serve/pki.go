package serve

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// pki is the folder with the control plane's keys and certificates. Whatever is
// there already is used again, so that a control plane started a second time on
// its folder accepts the credentials it gave out the first time.
type pki struct {
	dir    string
	caCert *x509.Certificate
	caKey  *ecdsa.PrivateKey
}

// lifetime of everything signed; tests that want an expired certificate make
// their own from the CA.
const lifetime = 10 * 365 * 24 * time.Hour

func openPKI(dir string) (*pki, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	p := &pki{dir: dir}
	if _, err := os.Stat(p.cert("ca")); errors.Is(err, fs.ErrNotExist) {
		if err := p.makeCA(); err != nil {
			return nil, fmt.Errorf("make the CA: %w", err)
		}
	}
	return p, p.loadCA()
}

func (p *pki) cert(name string) string { return filepath.Join(p.dir, name+".crt") }
func (p *pki) key(name string) string  { return filepath.Join(p.dir, name+".key") }

func (p *pki) makeCA() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "pintle-test-ca"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	return p.sign("ca", template, template, key, key)
}

func (p *pki) loadCA() error {
	certDER, err := readPEM(p.cert("ca"))
	if err != nil {
		return err
	}
	if p.caCert, err = x509.ParseCertificate(certDER); err != nil {
		return fmt.Errorf("%s: %w", p.cert("ca"), err)
	}
	keyDER, err := readPEM(p.key("ca"))
	if err != nil {
		return err
	}
	if p.caKey, err = x509.ParseECPrivateKey(keyDER); err != nil {
		return fmt.Errorf("%s: %w", p.key("ca"), err)
	}
	return nil
}

// server makes the serving certificate name for the loopback addresses.
func (p *pki) server(name string) error {
	return p.leaf(name, &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback, net.IPv4(10, 0, 0, 1)},
	})
}

// client makes a client certificate for a user and its groups.
func (p *pki) client(name, user string, groups ...string) error {
	return p.leaf(name, &x509.Certificate{
		Subject:     pkix.Name{CommonName: user, Organization: groups},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

func (p *pki) leaf(name string, template *x509.Certificate) error {
	if _, err := os.Stat(p.cert(name)); err == nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	return p.sign(name, template, p.caCert, key, p.caKey)
}

// sign fills in what every certificate has, and writes certificate and key.
func (p *pki) sign(name string, template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) error {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	template.SerialNumber = serial
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(lifetime)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	if err := writePEM(p.key(name), "EC PRIVATE KEY", keyDER); err != nil {
		return err
	}
	return writePEM(p.cert(name), "CERTIFICATE", der)
}

// serviceAccountKeys makes the key pair that signs and checks service-account
// tokens, as NAME.key and NAME.pub.
func (p *pki) serviceAccountKeys(name string) error {
	if _, err := os.Stat(p.key(name)); err == nil {
		return nil
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := writePEM(filepath.Join(p.dir, name+".pub"), "PUBLIC KEY", public); err != nil {
		return err
	}
	return writePEM(p.key(name), "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

func readPEM(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM block", path)
	}
	return block.Bytes, nil
}
