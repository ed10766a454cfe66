// Softmax attention over pages (rules D, E and G) for the query heads of one row that share a key-value head: each key
// and value is fetched once for all of them. Two passes, no online rescaling.
#pragma once

enum { HEADS_AT_ONCE = 4 };

// ---- Pages

typedef struct {
    const float* at; // the cached row of position `from`
    int rows;        // as many rows follow in the same page
} PageRows;

INLINE PageRows page_rows(Cache cache, int from, int end) {
    int row = from % cache.page_rows;
    const float* page = cache.layer + cache.pages[from / cache.page_rows] * cache.page_stride;
    return (PageRows){page + row * cache.row_stride, least(cache.page_rows - row, end - from)};
}

// ---- Scores

// p[h * stride + t] = query head h . key t, not yet scaled. `padded_keys` has room for one row.
static void scores(Attention a, Cache cache, const float* queries, float* padded_key, float* p, int64_t stride) {
    const int all = padded(a.key_columns);
    const Rows rows = {(float*)queries, all};
    PageRows keys;
    for (int t = cache.first; t < cache.end; t += keys.rows) {
        keys = page_rows(cache, t, cache.end);
        if (all == a.key_columns) {
            dot_form(keys.at + a.key_at, cache.row_stride, keys.rows, rows, a.heads, all, p + t, stride);
            continue;
        }
        for (int i = 0; i < keys.rows; i++) {
            memcpy(padded_key, keys.at + i * cache.row_stride + a.key_at, sizeof(float) * a.key_columns);
            dot_form(padded_key, all, 1, rows, a.heads, all, p + t + i, stride);
        }
    }
}

// ---- Softmax

// Turns p[first..end) into probabilities. Segments and partial sums go by the index in p, which has room for whole
// blocks of 32. `sink`: minus infinity for none.
static void softmax(float* p, int first, int end, float factor, float sink) {
    const float none = -__builtin_inff();
    const int from = first / 32 * 32, to = padded(end);
    for (int k = first; k < end; k++) p[k] = p[k] * factor;
    for (int k = from; k < first; k++) p[k] = none; // exp gives +0, which changes no sum
    for (int k = end; k < to; k++) p[k] = none;
    vf most = vf_set(sink);
    for (int k = from; k < to; k += LANES) most = vf_max(most, vf_load(p + k)); // a NaN makes every result NaN anyway
    float lanes[LANES], m = none;
    vf_store(lanes, most);
    for (int i = 0; i < LANES; i++) m = lanes[i] > m || lanes[i] != lanes[i] ? lanes[i] : m;

    float total = 0;
    for (int begin = from; begin < to; begin = (begin / SEGMENT + 1) * SEGMENT) {
        vf s[GROUPS];
        for (int g = 0; g < GROUPS; g++) s[g] = vf_zero();
        for (int k = begin; k < least(to, (begin / SEGMENT + 1) * SEGMENT); k += 32) {
            for (int g = 0; g < GROUPS; g++) {
                float* at = p + k + LANES * g;
                vf e = vf_exp(vf_sub(vf_load(at), vf_set(m)));
                vf_store(at, e);
                s[g] = vf_add(s[g], e);
            }
        }
        total = begin == from ? vf_tree(s) : total + vf_tree(s);
    }
    vf_store(lanes, vf_exp(vf_set(sink - m)));
    const vf divisor = vf_set(total + lanes[0]);
    for (int k = from; k < to; k += LANES) vf_store(p + k, vf_div(vf_load(p + k), divisor));
}

// ---- Values

// acc[h * acc_stride + c] = fma(p[h * p_stride + t], values[t * row_stride + c], acc) for positions in order.
// `columns` may be fewer than the vectors hold.
INLINE void add_values(const int heads, const int vectors, const float* values, int64_t row_stride, int rows,
                       int columns, const float* p, int64_t p_stride, float* acc, int64_t acc_stride) {
    vf a[HEADS_AT_ONCE][VALUE_VECTORS], v[VALUE_VECTORS];
    EACH (h, heads)
        EACH (i, vectors) a[h][i] = vf_load_some(acc + h * acc_stride + LANES * i, columns - LANES * i);
    for (int t = 0; t < rows; t++, values += row_stride) {
        EACH (i, vectors) v[i] = vf_load_some(values + LANES * i, columns - LANES * i);
        EACH (h, heads) {
            vf weight = vf_set(p[h * p_stride + t]);
            EACH (i, vectors) a[h][i] = vf_fma(v[i], weight, a[h][i]);
        }
    }
    EACH (h, heads)
        EACH (i, vectors) vf_store_some(acc + h * acc_stride + LANES * i, a[h][i], columns - LANES * i);
}

#define VALUES(name, heads, vectors, columns)                                                                          \
    NOINLINE void name(const float* values, int64_t row_stride, int rows, int left, const float* p, int64_t p_stride,  \
                       float* acc, int64_t acc_stride) {                                                               \
        (void)left;                                                                                                    \
        add_values(heads, vectors, values, row_stride, rows, columns, p, p_stride, acc, acc_stride);                   \
    }
VALUES(add_wide_of_heads, HEADS_AT_ONCE, VALUE_VECTORS, LANES* VALUE_VECTORS)
VALUES(add_narrow_of_heads, HEADS_AT_ONCE, 1, left)
VALUES(add_wide_of_head, 1, VALUE_VECTORS, LANES* VALUE_VECTORS)
VALUES(add_narrow_of_head, 1, 1, left)

static void add_page(Attention a, const float* values, int64_t row_stride, int rows, const float* p, int64_t stride,
                     float* acc) {
    for (int h = 0, heads; h < a.heads; h += heads) {
        heads = a.heads - h >= HEADS_AT_ONCE ? HEADS_AT_ONCE : 1;
        for (int c = 0, columns; c < a.value_columns; c += columns) {
            int wide = a.value_columns - c >= LANES * VALUE_VECTORS;
            columns = wide ? LANES * VALUE_VECTORS : LANES;
            (heads == 1 ? (wide ? add_wide_of_head : add_narrow_of_head)
                        : (wide ? add_wide_of_heads : add_narrow_of_heads))(
                values + c, row_stride, rows, a.value_columns - c, p + h * stride, stride,
                acc + (int64_t)h * a.value_columns + c, a.value_columns);
        }
    }
}

// y[h * value_columns + c] = sum of p[h][t] * value[t][c], in segments of 256 positions.
static void value_sums(Attention a, Cache cache, const float* p, int64_t stride, float* acc, float* y) {
    const int64_t count = (int64_t)a.heads * a.value_columns;
    for (int begin = cache.first / SEGMENT * SEGMENT; begin < cache.end; begin += SEGMENT) {
        memset(acc, 0, sizeof(float) * count);
        const int end = least(cache.end, begin + SEGMENT);
        PageRows values;
        for (int t = begin < cache.first ? cache.first : begin; t < end; t += values.rows) {
            values = page_rows(cache, t, end);
            add_page(a, values.at + a.value_at, cache.row_stride, values.rows, p + t, stride, acc);
        }
        for (int64_t i = 0; i < count; i++) y[i] = begin <= cache.first ? acc[i] : y[i] + acc[i];
    }
}

// ---- All of it

static int64_t attention_scratch_bytes(int heads, int key_columns, int value_columns, int end) {
    return 4 *
           ((int64_t)(heads + 1) * padded(key_columns) + (int64_t)heads * padded(end) + (int64_t)heads * value_columns);
}

static void attention(Attention a, Cache cache, const float* query, float* y, uint8_t* scratch) {
    const int64_t stride = padded(cache.end), all = padded(a.key_columns);
    float *queries = (float*)scratch, *key = queries + a.heads * all, *p = key + all, *acc = p + a.heads * stride;
    memset(queries, 0, sizeof(float) * (a.heads + 1) * all);
    for (int h = 0; h < a.heads; h++)
        memcpy(queries + h * all, query + (int64_t)h * a.key_columns, sizeof(float) * a.key_columns);
    scores(a, cache, queries, key, p, stride);
    for (int h = 0; h < a.heads; h++)
        softmax(p + h * stride, cache.first, cache.end, a.scale, a.sinks ? a.sinks[h] : -__builtin_inff());
    value_sums(a, cache, p, stride, acc, y);
}
