/* BLAKE2b (RFC 7693) without a key, of two strings one after the other: hashlib has it, but takes a Python object for each. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const uint64_t BLAKE2B_IV[8] = {
    0x6a09e667f3bcc908u, 0xbb67ae8584caa73bu, 0x3c6ef372fe94f82bu, 0xa54ff53a5f1d36f1u,
    0x510e527fade682d1u, 0x9b05688c2b3e6c1fu, 0x1f83d9abfb41bd6bu, 0x5be0cd19137e2179u,
};

static const uint8_t BLAKE2B_SIGMA[12][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
};

static inline uint64_t blake2b_rotated(uint64_t word, int bits) { return word >> bits | word << (64 - bits); }

static inline void blake2b_mix(uint64_t *a, uint64_t *b, uint64_t *c, uint64_t *d, uint64_t x, uint64_t y) {
    *a += *b + x;
    *d = blake2b_rotated(*d ^ *a, 32);
    *c += *d;
    *b = blake2b_rotated(*b ^ *c, 24);
    *a += *b + y;
    *d = blake2b_rotated(*d ^ *a, 16);
    *c += *d;
    *b = blake2b_rotated(*b ^ *c, 63);
}

/* Takes a block of 128 bytes into the state; `count` bytes were hashed with it. */
static void blake2b_block(uint64_t state[8], const uint8_t *block, uint64_t count, int last) {
    uint64_t m[16], v[16];
    for (int i = 0; i < 16; i++) {
        m[i] = 0;
        for (int byte = 0; byte < 8; byte++) m[i] |= (uint64_t)block[8 * i + byte] << (8 * byte);
    }
    memcpy(v, state, 64);
    memcpy(v + 8, BLAKE2B_IV, 64);
    v[12] ^= count;
    if (last) v[14] = ~v[14];
#if defined(__GNUC__)
#pragma GCC unroll 12
#endif
    for (int round = 0; round < 12; round++) {
        const uint8_t *s = BLAKE2B_SIGMA[round];
        blake2b_mix(v, v + 4, v + 8, v + 12, m[s[0]], m[s[1]]);
        blake2b_mix(v + 1, v + 5, v + 9, v + 13, m[s[2]], m[s[3]]);
        blake2b_mix(v + 2, v + 6, v + 10, v + 14, m[s[4]], m[s[5]]);
        blake2b_mix(v + 3, v + 7, v + 11, v + 15, m[s[6]], m[s[7]]);
        blake2b_mix(v, v + 5, v + 10, v + 15, m[s[8]], m[s[9]]);
        blake2b_mix(v + 1, v + 6, v + 11, v + 12, m[s[10]], m[s[11]]);
        blake2b_mix(v + 2, v + 7, v + 8, v + 13, m[s[12]], m[s[13]]);
        blake2b_mix(v + 3, v + 4, v + 9, v + 14, m[s[14]], m[s[15]]);
    }
    for (int i = 0; i < 8; i++) state[i] ^= v[i] ^ v[i + 8];
}

/* Writes `size` (1 to 64) bytes of digest over `first` and `second` to `digest`. */
static void blake2b(uint8_t *digest, size_t size, const uint8_t *first, size_t first_size, const uint8_t *second,
                    size_t second_size) {
    uint64_t state[8], count = 0;
    uint8_t block[128];
    size_t held = 0;
    const uint8_t *parts[2] = {first, second};
    size_t sizes[2] = {first_size, second_size};
    memcpy(state, BLAKE2B_IV, 64);
    state[0] ^= 0x01010000 ^ size;
    for (int part = 0; part < 2; part++) {
        const uint8_t *from = parts[part];
        size_t left = sizes[part];
        while (left) {
            if (held == 128) { /* only now: the last block is hashed as the last */
                blake2b_block(state, block, count += 128, 0);
                held = 0;
            }
            size_t taken = left < 128 - held ? left : 128 - held;
            memcpy(block + held, from, taken);
            held += taken;
            from += taken;
            left -= taken;
        }
    }
    memset(block + held, 0, 128 - held);
    blake2b_block(state, block, count + held, 1);
    for (size_t i = 0; i < size; i++) digest[i] = (uint8_t)(state[i / 8] >> (8 * (i % 8)));
}
