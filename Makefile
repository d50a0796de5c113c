# The few commands of the house. `setup`, `demo` and `test` install what is missing (tools/setup);
# no other does. Plain CMake works as well: cmake --preset release && cmake --build --preset release.

.DEFAULT_GOAL := help
.PHONY: help setup configure build test parity demo install uninstall clean fuzz bench measure

prefix ?= /usr/local

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name words; do \
	    printf 'make %-10s %s\n' "$$name" "$$words"; done

setup: ## install what build and tests need (Debian; as root or by sudo)
	@tools/setup build tests

configure:
	@tools/setup --check build
	@cmake --preset release

build: configure ## the library, the program, the examples and the tests, in build/; installs nothing
	@cmake --build --preset release

test: setup ## install what is missing, build, run the tests
	@cmake --preset release
	@cmake --build --preset release
	@tools/test

parity: build ## compare 60 newly drawn models with a real Keras, which is installed into build/parity
	@tools/parity

demo: ## install what is missing, build the program, train the convolutional network and watch
	@tools/setup build
	@cmake --preset release
	@cmake --build --preset release --target cajal_program
	@tools/demo

install: configure ## install into prefix=/usr/local (DESTDIR is honoured)
	@cmake --build --preset release --target cajal cajal_static cajal_program
	@cmake --install build --prefix "$(prefix)"

uninstall: ## remove what `make install` laid down
	@tools/uninstall

clean: ## remove the build folders
	rm -rf build build-*

fuzz: ## run each fuzzer for FUZZ_SECONDS=60 (needs clang)
	@tools/setup build tests clang
	@cmake --preset fuzz
	@cmake --build --preset fuzz
	@tools/fuzz

bench: build ## measure against the peers that bench/peers/setup installed; takes some 20 minutes
	bench/run --workloads main,batches,gemm,conv --save

measure: ## sizes of files and functions, and the include order
	tools/measure
