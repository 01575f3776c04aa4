# Thin on purpose: what there is to do stands in tests/. Run as root, on Debian 12.

# All of them boot a VM: what they do to volumes is done to scratch disks in it, never to this
# machine's.

help:
	@echo 'make demo   shows the service at work: one instant over three volumes'
	@echo 'make test   passes all tests'
	@echo 'make soak   passes the long ones, for hours: hundreds of sets and crashes'
	@echo 'make bench  measures the write freeze and the time that a set takes'
	@echo 'make clean  removes build/, caches included'

demo: prepare
	@tests/vm/run --disks 2x2G --project build/stage --share build/share -- /share/demo.sh

test: packages
	@tests/run

soak: packages
	@tests/run --soak

bench: prepare
	@tests/bench/run

prepare: packages
	@tests/stage

packages:
	@tests/install-packages

clean:
	rm -rf build

.PHONY: help demo test soak bench prepare packages clean
