package answer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	kubeversion "k8s.io/apimachinery/pkg/version"
	clocktesting "k8s.io/utils/clock/testing"
)

func init() {
	functions["version.kube"] = of(versionKube)
	functions["version.parse"] = of(versionParse)
	functions["version.compare"] = of(versionCompare)
	functions["version.change"] = of(versionChange)
	functions["version.highest"] = of(versionHighest)
	functions["duration.human"] = of(durationHuman)
	functions["wait.backoff"] = of(waitBackoff)
	functions["wait.reset"] = of(waitReset)
	functions["wait.attempts"] = of(waitAttempts)
	functions["yaml.split"] = of(yamlSplit)
	functions["yaml.frame"] = of(yamlFrame)
	functions["yaml.isJSON"] = of(yamlIsJSON)
	functions["cache.expiring"] = of(cacheExpiring)
	functions["cache.lru"] = of(cacheLRU)
}

func orderOf(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func versionKube(in [2]string) (any, error) {
	return orderOf(kubeversion.CompareKubeAwareVersionStrings(in[0], in[1])), nil
}

type versionIn struct {
	Text string `json:"text"`
	How  string `json:"how"`
}

func (in versionIn) parse() (*version.Version, error) {
	switch in.How {
	case "semantic":
		return version.ParseSemantic(in.Text)
	case "generic":
		return version.ParseGeneric(in.Text)
	case "majorMinor":
		return version.ParseMajorMinor(in.Text)
	}
	return version.Parse(in.Text)
}

func versionOut(v *version.Version) any {
	return map[string]any{
		"text": v.String(), "components": v.Components(), "preRelease": v.PreRelease(),
		"buildMetadata": v.BuildMetadata(), "major": v.Major(), "minor": v.Minor(), "patch": v.Patch(),
	}
}

func versionParse(in versionIn) (any, error) {
	v, err := in.parse()
	if err != nil {
		return nil, err
	}
	return versionOut(v), nil
}

func versionCompare(in [2]versionIn) (any, error) {
	a, err := in[0].parse()
	if err != nil {
		return nil, err
	}
	b, err := in[1].parse()
	if err != nil {
		return nil, err
	}
	out := map[string]any{
		"equal": a.EqualTo(b), "atLeast": a.AtLeast(b), "less": a.LessThan(b), "greater": a.GreaterThan(b),
	}
	if order, err := a.Compare(in[1].Text); err != nil {
		out["error"] = err.Error()
	} else {
		out["order"] = order
	}
	return out, nil
}

type versionChangeIn struct {
	versionIn
	Change string `json:"change"`
	Number uint32 `json:"number"`
	Extra  string `json:"extra"`
}

func versionChange(in versionChangeIn) (any, error) {
	v, err := in.parse()
	if err != nil {
		return nil, err
	}
	switch in.Change {
	case "major":
		v = v.WithMajor(uint(in.Number))
	case "minor":
		v = v.WithMinor(uint(in.Number))
	case "patch":
		v = v.WithPatch(uint(in.Number))
	case "add":
		v = v.AddMinor(uint(in.Number))
	case "subtract":
		v = v.SubtractMinor(uint(in.Number))
	case "preRelease":
		v = v.WithPreRelease(in.Extra)
	case "buildMetadata":
		v = v.WithBuildMetadata(in.Extra)
	}
	return versionOut(v), nil
}

func versionHighest(in []string) (any, error) {
	v, err := version.HighestSupportedVersion(in)
	if err != nil {
		return nil, err
	}
	return v.String(), nil
}

func durationHuman(nanos int64) (any, error) {
	d := time.Duration(nanos)
	return []string{duration.HumanDuration(d), duration.ShortHumanDuration(d)}, nil
}

type backoffIn struct {
	Duration int64   `json:"duration"`
	Factor   float64 `json:"factor"`
	Steps    int     `json:"steps"`
	Cap      int64   `json:"cap"`
}

func (in backoffIn) backoff() wait.Backoff {
	return wait.Backoff{
		Duration: time.Duration(in.Duration), Factor: in.Factor, Steps: in.Steps, Cap: time.Duration(in.Cap),
	}
}

type waitBackoffIn struct {
	backoffIn
	Times int `json:"times"`
}

func waitBackoff(in waitBackoffIn) (any, error) {
	backoff, out := in.backoff(), []int64{}
	for range in.Times {
		out = append(out, int64(backoff.Step()))
	}
	return map[string]any{"delays": out, "steps": backoff.Steps, "next": int64(backoff.Duration)}, nil
}

type waitResetIn struct {
	backoffIn
	Reset  int64   `json:"reset"`
	Pauses []int64 `json:"pauses"`
}

// waitReset sets a clock forward between the delays.
func waitReset(in waitResetIn) (any, error) {
	clock := clocktesting.NewFakeClock(time.Unix(0, 0))
	delay, out := in.backoff().DelayWithReset(clock, time.Duration(in.Reset)), []int64{}
	for _, pause := range in.Pauses {
		clock.Step(time.Duration(pause))
		out = append(out, int64(delay()))
	}
	return out, nil
}

type waitAttemptsIn struct {
	backoffIn
	SucceedAt int `json:"succeedAt"`
}

// waitAttempts really waits: the durations are to be of nanoseconds.
func waitAttempts(in waitAttemptsIn) (any, error) {
	attempts := 0
	err := wait.ExponentialBackoff(in.backoff(), func() (bool, error) {
		attempts++
		return attempts == in.SucceedAt, nil
	})
	return map[string]any{"attempts": attempts, "gaveUp": err != nil}, nil
}

func yamlSplit(text string) (any, error) {
	reader, out := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text))), []string{}
	for {
		document, err := reader.Read()
		if err == io.EOF {
			return map[string]any{"documents": out}, nil
		}
		if err != nil {
			return map[string]any{"documents": out, "error": err.Error()}, nil
		}
		out = append(out, string(document))
	}
}

func yamlFrame(text string) (any, error) {
	reader, out := yaml.NewDocumentDecoder(io.NopCloser(strings.NewReader(text))), []string{}
	buffer := make([]byte, len(text)+1)
	for {
		n, err := reader.Read(buffer)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, string(buffer[:n]))
	}
}

func yamlIsJSON(text string) (any, error) {
	return yaml.IsJSONBuffer(bytes.Clone([]byte(text))), nil
}

// cacheStep is one thing to do with a cache, after the clock was set forward.
type cacheStep struct {
	Pause int64  `json:"pause"`
	Do    string `json:"do"`
	Key   string `json:"key"`
	Value int    `json:"value"`
	Keep  int64  `json:"keep"`
}

func cacheExpiring(in []cacheStep) (any, error) {
	clock := clocktesting.NewFakeClock(time.Unix(0, 0))
	cache, out := cache.NewExpiringWithClock(clock), []any{}
	for _, step := range in {
		clock.Step(time.Duration(step.Pause))
		switch step.Do {
		case "get":
			value, _ := cache.Get(step.Key)
			out = append(out, value)
		case "set":
			cache.Set(step.Key, step.Value, time.Duration(step.Keep))
		case "delete":
			cache.Delete(step.Key)
		case "len":
			out = append(out, cache.Len())
		default:
			return nil, badInput{errors.New("no such step")}
		}
	}
	return out, nil
}

type cacheLRUIn struct {
	Size  int         `json:"size"`
	Steps []cacheStep `json:"steps"`
}

func cacheLRU(in cacheLRUIn) (any, error) {
	if in.Size <= 0 {
		return nil, badInput{errors.New("no size")}
	}
	clock := clocktesting.NewFakeClock(time.Unix(0, 0))
	cache, out := cache.NewLRUExpireCacheWithClock(in.Size, clock), []any{}
	for _, step := range in.Steps {
		clock.Step(time.Duration(step.Pause))
		switch step.Do {
		case "get":
			value, _ := cache.Get(step.Key)
			out = append(out, value)
		case "set":
			cache.Add(step.Key, step.Value, time.Duration(step.Keep))
		case "delete":
			cache.Remove(step.Key)
		case "len":
			out = append(out, cache.Keys())
		default:
			return nil, badInput{errors.New("no such step")}
		}
	}
	return out, nil
}
