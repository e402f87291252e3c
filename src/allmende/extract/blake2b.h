/* BLAKE2b (RFC 7693) without a key, for many short messages at once: eight go side by side through vector registers.
 * hashlib takes a Python object and a call for each. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BLAKE2B_BLOCK 128

/* A message, with zeros behind it up to the end of its last block (there is at least one), and where its digest goes:
 * `words` (1 to 8) times 8 bytes. */
struct blake2b_job {
    const uint8_t *message;
    size_t size;
    uint8_t *digest;
    size_t words;
};

#define BLAKE2B_LANES 8
typedef uint64_t blake2b_words __attribute__((vector_size(8 * BLAKE2B_LANES)));

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

#define BLAKE2B_ROTATED(word, bits) ((word) >> (bits) | (word) << (64 - (bits)))
#define BLAKE2B_MIX(a, b, c, d, x, y)                                     \
    v[a] += v[b] + m[x]; v[d] = BLAKE2B_ROTATED(v[d] ^ v[a], 32);         \
    v[c] += v[d];        v[b] = BLAKE2B_ROTATED(v[b] ^ v[c], 24);         \
    v[a] += v[b] + m[y]; v[d] = BLAKE2B_ROTATED(v[d] ^ v[a], 16);         \
    v[c] += v[d];        v[b] = BLAKE2B_ROTATED(v[b] ^ v[c], 63)

/* Takes a block of each lane into its state. For each lane: `begun`, ~0 in its first block; `length`, of its digest in
 * bytes; `counts`, bytes of the lane so far; `last`, ~0 in its last block.
 * The processor is asked what it can do when the module is loaded, where GNU's C library and compiler can.
 * AVX-512 (v4, which GCC 12 knows) rotates in one instruction. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#if __GNUC__ >= 12
__attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
__attribute__((target_clones("avx2", "default")))
#endif
#endif
__attribute__((visibility("hidden"))) void
allmende_blake2b_blocks(blake2b_words state[8], const uint8_t *const blocks[BLAKE2B_LANES], const blake2b_words *begun,
                        const blake2b_words *length, const blake2b_words *counts, const blake2b_words *last) {
    blake2b_words m[16], v[16];
    for (int i = 0; i < 16; i++)
        for (int lane = 0; lane < BLAKE2B_LANES; lane++) {
            const uint8_t *at = blocks[lane] + 8 * i;
            m[i][lane] = (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
                         (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 | (uint64_t)at[7] << 56;
        }
    for (int i = 0; i < 8; i++) {
        v[i + 8] = (blake2b_words){0} + BLAKE2B_IV[i];
        state[i] = (state[i] & ~*begun) | (v[i + 8] & *begun);
        if (i == 0) state[i] ^= (*length ^ 0x01010000) & *begun;
        v[i] = state[i];
    }
    v[12] ^= *counts;
    v[14] ^= *last;
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC unroll 12
#endif
    for (int round = 0; round < 12; round++) {
        const uint8_t *s = BLAKE2B_SIGMA[round];
        BLAKE2B_MIX(0, 4, 8, 12, s[0], s[1]);
        BLAKE2B_MIX(1, 5, 9, 13, s[2], s[3]);
        BLAKE2B_MIX(2, 6, 10, 14, s[4], s[5]);
        BLAKE2B_MIX(3, 7, 11, 15, s[6], s[7]);
        BLAKE2B_MIX(0, 5, 10, 15, s[8], s[9]);
        BLAKE2B_MIX(1, 6, 11, 12, s[10], s[11]);
        BLAKE2B_MIX(2, 7, 8, 13, s[12], s[13]);
        BLAKE2B_MIX(3, 4, 9, 14, s[14], s[15]);
    }
    for (int i = 0; i < 8; i++) state[i] ^= v[i] ^ v[i + 8];
}

/* Does all jobs: a lane that is done with one takes the next. */
static void blake2b_all(const struct blake2b_job *jobs, size_t count) {
    static const uint8_t nothing[BLAKE2B_BLOCK];
    const struct blake2b_job *of[BLAKE2B_LANES] = {NULL}, *const end = jobs + count;
    size_t done[BLAKE2B_LANES] = {0};
    blake2b_words state[8] = {{0}};
    for (;;) {
        const uint8_t *blocks[BLAKE2B_LANES];
        blake2b_words begun = {0}, length = {0}, counts = {0}, last = {0};
        int busy = 0;
        for (int lane = 0; lane < BLAKE2B_LANES; lane++) {
            blocks[lane] = nothing;
            if (!of[lane]) {
                if (jobs == end) continue;
                of[lane] = jobs++;
                done[lane] = 0;
                begun[lane] = ~(uint64_t)0;
                length[lane] = 8 * of[lane]->words;
            }
            busy = 1;
            blocks[lane] = of[lane]->message + done[lane];
            done[lane] += BLAKE2B_BLOCK;
            last[lane] = done[lane] >= of[lane]->size ? ~(uint64_t)0 : 0;
            counts[lane] = last[lane] ? of[lane]->size : done[lane];
        }
        if (!busy) return;
        allmende_blake2b_blocks(state, blocks, &begun, &length, &counts, &last);
        for (int lane = 0; lane < BLAKE2B_LANES; lane++) {
            if (!last[lane]) continue;
            for (size_t word = 0; word < of[lane]->words; word++)
                for (int byte = 0; byte < 8; byte++)
                    of[lane]->digest[8 * word + byte] = (uint8_t)(state[word][lane] >> 8 * byte);
            of[lane] = NULL;
        }
    }
}
