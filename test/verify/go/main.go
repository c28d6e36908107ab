// What golang.org/x/mod says of notes and trees: a list of jobs in JSON, a list of answers in JSON.
package main

import (
	"crypto/rand"
	"encoding/json"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Job is one question; `Op` says which.
type Job struct {
	Op     string
	Name   string
	Skeys  []string
	Vkeys  []string
	Text   string
	Leaves [][]byte
	Size   int64
	Old    int64
	Index  int64
	Path   [][]byte
	Root   []byte
	Before []byte
	Leaf   []byte
}

// Answer has what the job asked for.
type Answer struct {
	OK   bool     `json:"ok"`
	Why  string   `json:"why,omitempty"`
	Skey string   `json:"skey,omitempty"`
	Vkey string   `json:"vkey,omitempty"`
	Text string   `json:"text,omitempty"`
	Root []byte   `json:"root,omitempty"`
	Path [][]byte `json:"path,omitempty"`
}

func main() {
	var jobs []Job
	must(json.NewDecoder(os.Stdin).Decode(&jobs))
	answers := []Answer{}
	for _, job := range jobs {
		answers = append(answers, answer(job))
	}
	must(json.NewEncoder(os.Stdout).Encode(answers))
}

func answer(job Job) Answer {
	switch job.Op {
	case "key":
		skey, vkey, err := note.GenerateKey(rand.Reader, job.Name)
		must(err)
		return Answer{OK: true, Skey: skey, Vkey: vkey}
	case "sign":
		return sign(job)
	case "open":
		return open(job)
	case "include", "begin":
		return prove(job)
	case "check_include":
		return judged(tlog.CheckRecord(pathOf(job), job.Size, hashOf(job.Root), job.Index, hashOf(job.Leaf)))
	case "check_begin":
		return judged(tlog.CheckTree(pathOf(job), job.Size, hashOf(job.Root), job.Old, hashOf(job.Before)))
	}
	panic(job.Op)
}

func sign(job Job) Answer {
	var signers []note.Signer
	for _, skey := range job.Skeys {
		signer, err := note.NewSigner(skey)
		must(err)
		signers = append(signers, signer)
	}
	text, err := note.Sign(&note.Note{Text: job.Text}, signers...)
	must(err)
	return Answer{OK: true, Text: string(text)}
}

func open(job Job) Answer {
	var verifiers []note.Verifier
	for _, vkey := range job.Vkeys {
		verifier, err := note.NewVerifier(vkey)
		if err != nil {
			return judged(err)
		}
		verifiers = append(verifiers, verifier)
	}
	_, err := note.Open([]byte(job.Text), note.VerifierList(verifiers...))
	return judged(err)
}

// prove answers with the path, and with the root at the size of the job.
func prove(job Job) Answer {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			found[i] = stored[index]
		}
		return found, nil
	})
	for i, leaf := range job.Leaves {
		hashes, err := tlog.StoredHashes(int64(i), leaf, reader)
		must(err)
		stored = append(stored, hashes...)
	}
	root, err := tlog.TreeHash(job.Size, reader)
	must(err)
	answer := Answer{OK: true, Root: root[:]}
	if job.Op == "include" {
		path, err := tlog.ProveRecord(job.Size, job.Index, reader)
		must(err)
		answer.Path = bytesOf(path)
	} else {
		path, err := tlog.ProveTree(job.Size, job.Old, reader)
		must(err)
		answer.Path = bytesOf(path)
	}
	return answer
}

func bytesOf(path []tlog.Hash) [][]byte {
	found := [][]byte{}
	for _, hash := range path {
		found = append(found, append([]byte(nil), hash[:]...))
	}
	return found
}

func pathOf(job Job) []tlog.Hash {
	var path []tlog.Hash
	for _, hash := range job.Path {
		path = append(path, hashOf(hash))
	}
	return path
}

func hashOf(bytes []byte) (hash tlog.Hash) {
	copy(hash[:], bytes)
	return
}

func judged(err error) Answer {
	if err != nil {
		return Answer{Why: err.Error()}
	}
	return Answer{OK: true}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
