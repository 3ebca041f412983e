// A service that follows its key file and tells keyturn which key it uses.
//
//	KEY_FILE=/srv/llm-keys/payments-api.json KEY_FIELD=OPENROUTER_API_KEY go run consumer.go
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

var (
	keyFile  = os.Getenv("KEY_FILE")
	keyField = os.Getenv("KEY_FIELD") // left out: the file is the key and nothing else
	keyName  = env("KEY_NAME", "payments-api")
	provider = env("OPENROUTER_BASE_URL", "https://openrouter.ai/api/v1")
	model    = env("MODEL", "openai/gpt-4o-mini")
)

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// watchedKey knows the key as last read, and how many requests bear each key.
type watchedKey struct {
	mu       sync.Mutex
	key      string
	underWay map[string]int
}

// follow reads the file every second. What is not there or not whole changes nothing.
func (w *watchedKey) follow() {
	for ; ; time.Sleep(time.Second) {
		if key, err := readKey(); err == nil && key != "" {
			w.mu.Lock()
			w.key = key
			w.mu.Unlock()
		}
	}
}

func readKey() (string, error) {
	text, err := os.ReadFile(keyFile)
	if err != nil {
		return "", err
	}
	if keyField == "" {
		return strings.TrimSpace(string(text)), nil
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		return "", err
	}
	key, _ := fields[keyField].(string)
	return strings.TrimSpace(key), nil
}

// use lends the key of this moment to one request; it counts as held until done is called.
func (w *watchedKey) use() (key string, done func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.key == "" {
		return "", nil, errors.New("there is no key yet")
	}
	key = w.key
	w.underWay[key]++
	return key, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.underWay[key]--; w.underWay[key] == 0 {
			delete(w.underWay, key)
		}
	}, nil
}

func fingerprint(key string) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(key)))
}

type keyHealth struct {
	Serving *string  `json:"serving"`
	Holding []string `json:"holding"`
}

func (w *watchedKey) health() (status int, body map[string]any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	status, word, answer := http.StatusServiceUnavailable, "waiting", keyHealth{Holding: []string{}}
	if w.key != "" {
		serving := fingerprint(w.key)
		status, word, answer.Serving = http.StatusOK, "ok", &serving
	}
	for key := range w.underWay {
		if key != w.key {
			answer.Holding = append(answer.Holding, fingerprint(key))
		}
	}
	instance, _ := os.Hostname()
	return status, map[string]any{
		"status":   word,
		"instance": instance,
		"keys":     map[string]keyHealth{keyName: answer},
	}
}

func (w *watchedKey) ask(prompt string) ([]byte, error) {
	key, done, err := w.use()
	if err != nil {
		return nil, err
	}
	defer done()
	body, err := json.Marshal(map[string]any{
		"model":    model,
		"messages": []map[string]string{{"role": "user", "content": prompt}},
	})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(http.MethodPost, provider+"/chat/completions", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the provider answers %d", response.StatusCode)
	}
	return io.ReadAll(response.Body)
}

func main() {
	watched := &watchedKey{underWay: map[string]int{}}
	go watched.follow()
	reply := func(w http.ResponseWriter, status int, body []byte) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		w.Write(body)
	}
	http.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		status, health := watched.health()
		body, _ := json.Marshal(health)
		reply(w, status, body)
	})
	http.HandleFunc("POST /ask", func(w http.ResponseWriter, _ *http.Request) {
		answer, err := watched.ask("hello")
		if err != nil {
			body, _ := json.Marshal(map[string]string{"error": err.Error()})
			reply(w, http.StatusBadGateway, body)
			return
		}
		reply(w, http.StatusOK, answer)
	})
	log.Fatal(http.ListenAndServe(env("HOST", "127.0.0.1")+":"+env("PORT", "8080"), nil))
}
