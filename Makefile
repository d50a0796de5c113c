# The few commands of the house. Each installs what is missing (tools/setup), configures build/ and builds first; plain
# CMake (cmake --preset release && cmake --build --preset release) works as well.

.DEFAULT_GOAL := help
.PHONY: help setup build test demo bench measure

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name words; do \
	    printf 'make %-10s%s\n' "$$name" "$$words"; done

setup: ## install what the build needs (Debian)
	@tools/setup

build: setup ## the library, the program, the examples and the tests, in build/
	cmake --preset release
	cmake --build --preset release

test: build ## run the tests
	ctest --test-dir build --output-on-failure

demo: build ## train the convolutional network and watch
	tools/demo

bench: build ## measure against the peers that bench/peers/setup installed; takes some 20 minutes
	bench/run --workloads main,batches,gemm,conv --save

measure: ## sizes of files and functions, and the include order
	tools/measure
