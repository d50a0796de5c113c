// Hashes of bytes that other programs compute too, and that files therefore rely on.
#ifndef CJ_BASE_HASH_H
#define CJ_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

// FarmHash's Fingerprint64 (Pike and Alakuijala 2014): the same on every machine, for ever.
uint64_t cj__fingerprint(const void *bytes, size_t count);
// One fingerprint of two, in that order, as TensorFlow's crossed features are made.
uint64_t cj__fingerprint_pair(uint64_t first, uint64_t second);
// SipHash-2-4 (Aumasson and Bernstein 2012) with a key of 128 bits.
uint64_t cj__siphash(const uint64_t key[2], const void *bytes, size_t count);

#endif
