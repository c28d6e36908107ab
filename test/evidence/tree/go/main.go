// Checks a log with the implementation of the Go checksum database, which shares nothing with it.
// It reads what the log shows as JSON and prints `ok`, or says what does not hold.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type shown struct {
	Origin, Vkey, PrivateKey string
	// Signed notes of two sizes.
	Older, Newer string
	Records      []string
	// By index, in the tree of the newer checkpoint.
	Inclusion   map[string][][]byte
	Consistency [][]byte
	// By level, index and width.
	Tiles map[string][]byte
}

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func hashes(list [][]byte) []tlog.Hash {
	found := make([]tlog.Hash, len(list))
	for i, bytes := range list {
		copy(found[i][:], bytes)
	}
	return found
}

func open(s shown, signed string) tlog.Tree {
	verifier, err := note.NewVerifier(s.Vkey)
	must(err)
	opened, err := note.Open([]byte(signed), note.VerifierList(verifier))
	must(err)
	lines := strings.SplitN(opened.Text, "\n", 3)
	if lines[0] != s.Origin || len(opened.UnverifiedSigs) > 0 {
		must(fmt.Errorf("the checkpoint is of %q", lines[0]))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(strings.TrimSuffix(lines[2], "\n"))
	must(err)
	signer, err := note.NewSigner(s.PrivateKey)
	must(err)
	again, err := note.Sign(&note.Note{Text: opened.Text}, signer)
	must(err)
	if string(again) != signed {
		must(fmt.Errorf("signed here it is %q", again))
	}
	return tlog.Tree{N: size, Hash: root}
}

func (s shown) Height() int { return 8 }

func (s shown) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func (s shown) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		name := fmt.Sprintf("%d/%d/%d", tile.L, tile.N, tile.W)
		bytes, ok := s.Tiles[name]
		if !ok {
			return nil, fmt.Errorf("tile %s is not shown", name)
		}
		data = append(data, bytes)
	}
	return data, nil
}

func main() {
	var s shown
	must(json.NewDecoder(os.Stdin).Decode(&s))
	older, newer := open(s, s.Older), open(s, s.Newer)
	must(tlog.CheckTree(hashes(s.Consistency), newer.N, newer.Hash, older.N, older.Hash))
	reader := tlog.TileHashReader(newer, s)
	for name, path := range s.Inclusion {
		index, err := strconv.ParseInt(name, 10, 64)
		must(err)
		leaf := tlog.RecordHash([]byte(s.Records[index]))
		must(tlog.CheckRecord(hashes(path), newer.N, newer.Hash, index, leaf))
		own, err := tlog.ProveRecord(newer.N, index, reader)
		must(err)
		if fmt.Sprint(own) != fmt.Sprint(tlog.RecordProof(hashes(path))) {
			must(fmt.Errorf("the tiles prove record %d otherwise", index))
		}
	}
	fmt.Println("ok")
}
