// Writes reference.txt: what rules B to F of ARITHMETIC.md give for generated inputs, computed by a second reading of
// the page (rules.h) that shares no code with the kernels. Each line: a name, then outputs as hexadecimal words.
//
//   gcc -O2 -march=x86-64-v3 -ffp-contract=off reference.c -o reference -lm && ./reference > reference.txt
//
// Inputs come from SplitMix64, seeded per case, as in ReferenceTest.
#include "rules.h"

static uint64_t state;
static uint64_t draw(void) {
    uint64_t z = (state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}
// a float in [-1, 1) times a power of two between 2^-8 and 2^7
static float number(void) {
    float v = (float) (int32_t) (draw() >> 32) * 0x1p-31f;
    return ldexpf(v, (int) (draw() % 16) - 8);
}
static float *numbers(int n) {
    float *x = need(n * 4);
    for (int i = 0; i < n; i++) x[i] = number();
    return x;
}
static uint32_t word(float v) { uint32_t w; memcpy(&w, &v, 4); return isnan(v) ? 0x7fc00000 : w; }
static void line(const char *name, int a, int b, const float *y, int n) {
    printf("%s %d %d", name, a, b);
    for (int i = 0; i < n; i++) printf(" %08x", word(y[i]));
    printf("\n");
}
// bytes of rows x cols coded weights: random codes, f16 scales of both signs and about 2^-12 to 2^3 in size
static Matrix coded(int kind, int rows, int cols, int blockCols, int size, int scaleAt) {
    Matrix m = {kind, rows, cols, need((size_t) rows * (cols / blockCols) * size)};
    for (int b = 0; b < rows * (cols / blockCols); b++) {
        uint8_t *p = m.data + (size_t) b * size;
        for (int i = 0; i < size; i++) p[i] = (uint8_t) draw();
        uint64_t bits = draw();
        uint16_t scale = (uint16_t) ((bits & 0x83ff) | (3 + (bits >> 16) % 16) << 10);
        memcpy(p + scaleAt, &scale, 2);
    }
    return m;
}
// rule C for Q6_K: 16 columns a unit
static float dotQ6K(const uint8_t *row, const int8_t *q, const float *dx, int k) {
    float y = 0, acc = 0;
    for (int u = 0; u < k / 16; u++) {
        const uint8_t *p = row + u / 16 * 210;
        int sum = 0;
        for (int i = 0; i < 16; i++) {
            int c = u % 16 * 16 + i, h = c / 128, g = c % 128 / 32, l = c % 32;
            int a = p[h * 64 + (g & 1) * 32 + l], b = p[128 + h * 32 + l];
            sum += (((g < 2 ? a & 15 : a >> 4) | (b >> 2 * g & 3) << 4) - 32) * q[u * 16 + i];
        }
        float dw = half(p + 208) * (float) (int8_t) p[192 + u % 16];
        acc = fmaf((float) sum, dw * dx[u / 2], acc);
        if (u % 16 == 15) { y = u == 15 ? acc : y + acc; acc = 0; }
    }
    return y;
}
int main(void) {
    const int ks[] = {32, 64, 96, 192, 256, 288, 544, 1280}, fks[] = {1, 5, 32, 48, 100, 256, 300, 1031};
    const float edges[] = {0, -0.0f, INFINITY, -INFINITY, NAN, 88.7f, 89, 89.1f, -87.3f, -103.9f, -104, -105, 1e-40f, -1e-40f, 3e38f};
    for (int i = 0; i < 8; i++) {
        state = 100 + i;
        float *x = numbers(ks[i]), *dx = need(ks[i]), *y = need(ks[i] * 4);
        if (i == 2) { x[40] = NAN; for (int j = 64; j < 96; j++) x[j] *= 0x1p-120f; }
        int8_t *q = need(ks[i]);
        quantise(x, ks[i], q, dx);
        line("scales", ks[i], 100 + i, dx, ks[i] / 32);
        for (int j = 0; j < ks[i]; j++) y[j] = q[j];
        line("codes", ks[i], 100 + i, y, ks[i]);
    }
    for (int kind = 1; kind <= 2; kind++) for (int i = 0; i < 8; i++) {
        state = 200 * kind + i;
        Matrix m = coded(kind, 5, ks[i], 32, blockBytes(kind), 0);
        float y[5];
        linear(&m, 0, 5, numbers(ks[i]), y);
        line(kind == 1 ? "Q8_0" : "Q4_0", ks[i], 200 * kind + i, y, 5);
    }
    for (int i = 1; i <= 5; i++) {
        state = 600 + i;
        Matrix m = coded(3, 5, 256 * i, 256, 210, 208);
        float y[5], *dx = need(32 * i), *x = numbers(256 * i);
        int8_t *q = need(256 * i);
        quantise(x, 256 * i, q, dx);
        for (int r = 0; r < 5; r++) y[r] = dotQ6K(m.data + r * i * 210, q, dx, 256 * i);
        line("Q6_K", 256 * i, 600 + i, y, 5);
    }
    for (int i = 0; i < 8; i++) {
        state = 700 + i;
        float *w = numbers(3 * fks[i]), *x = numbers(fks[i]), y[3];
        for (int r = 0; r < 3; r++) y[r] = dotD(w + r * fks[i], x, fks[i]);
        line("F32", fks[i], 700 + i, y, 3);
    }
    state = 800;
    float e[400];
    for (int i = 0; i < 400; i++) e[i] = expE(i < 15 ? edges[i] : number());
    line("exp", 400, 800, e, 400);
    for (int i = 0; i < 400; i++) e[i] = silu(i < 15 ? edges[i] : number());
    line("silu", 400, 800, e, 400);
    for (int i = 0; i < 8; i++) {
        state = 900 + i;
        float *p = numbers(fks[i]), *v = numbers(fks[i]), y = 0;
        for (int j = 0; j < fks[i]; j++) p[j] *= 0x1p-4f;
        softmax(p, fks[i]);
        y = weigh(p, v, 1, fks[i]);
        line("softmax", fks[i], 900 + i, p, fks[i]);
        line("weigh", fks[i], 900 + i, &y, 1);
    }
    for (int i = 0; i < 8; i++) {
        state = 1000 + i;
        float *x = numbers(fks[i]), *y = need(fks[i] * 4);
        Matrix w = {0, 1, fks[i], (uint8_t *) numbers(fks[i])};
        rmsNorm(x, &w, fks[i], 1e-6, y);
        line("rmsNorm", fks[i], 1000 + i, y, fks[i]);
    }
    return 0;
}
