package serve

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

func plainClient() *http.Client { return &http.Client{Timeout: 5 * time.Second} }

// adminClient is an HTTP client with the administrator's certificate.
func (c *controlPlane) adminClient() (*http.Client, error) {
	ca, err := os.ReadFile(c.pki.cert("ca"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	own, err := tls.LoadX509KeyPair(c.pki.cert("admin"), c.pki.key("admin"))
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Timeout:   5 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}}},
	}, nil
}

// awaitOK asks for an address until the answer is 200, the process has ended or
// the context is over.
func awaitOK(ctx context.Context, p *process, client *http.Client, address string) error {
	defer client.CloseIdleConnections()
	last := "nothing"
	for {
		answer, err := get(ctx, client, address)
		if err == nil && answer.code == http.StatusOK {
			return nil
		}
		if err != nil {
			last = err.Error()
		} else {
			last = fmt.Sprintf("%d %s", answer.code, answer.body)
		}
		select {
		case <-p.done:
			return p.ended()
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready; last answer of %s: %s; the end of %s:\n%s", p.name, address, last, p.log, tail(p.log, 20))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

type answer struct {
	code int
	body []byte
}

func get(ctx context.Context, client *http.Client, address string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	return answer{response.StatusCode, body}, err
}
