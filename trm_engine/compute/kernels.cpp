// What lies between two matrix products of a block, in one pass over memory each: float32, row by row.
//
// Compiled once on the machine that computes, by trm_engine/compute/kernels.py. Every number is computed by one
// thread in a fixed order, so that results do not depend on how many threads there are. Vectors are those of GCC
// and Clang, which make them of whatever the processor has.
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace {

constexpr long LANES = 8;
typedef float vec __attribute__((vector_size(32)));
typedef float loose __attribute__((vector_size(32), aligned(4)));
typedef int ivec __attribute__((vector_size(32)));

inline vec load(const float* from) { return *reinterpret_cast<const loose*>(from); }
inline void store(float* to, vec x) { *reinterpret_cast<loose*>(to) = x; }
inline vec all(float x) { return vec{x, x, x, x, x, x, x, x}; }

inline vec load_some(const float* from, long count) {
    float kept[LANES] = {0};
    std::memcpy(kept, from, count * sizeof(float));
    return load(kept);
}
inline void store_some(float* to, vec x, long count) {
    float kept[LANES];
    store(kept, x);
    std::memcpy(to, kept, count * sizeof(float));
}

inline float sum(vec x) {
    return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

// e^x to about 2 units in the last place; what is not a number stays so.
inline vec exp(vec x) {
    x = x > all(88.0f) ? all(88.0f) : x;
    x = x < all(-87.0f) ? all(-87.0f) : x;
    const vec magic = all(12582912.0f);  // 1.5 · 2^23: what is added to it is rounded to a whole number
    vec shifted = x * all(1.44269504f) + magic;
    vec whole = shifted - magic;
    vec r = x - whole * all(0.693359375f);  // ln 2 in two parts, the first of which loses no bit
    r = r - whole * all(-2.12194440e-4f);
    vec p = all(1.9875691500e-4f);  // coefficients of Cephes' expf
    p = p * r + all(1.3981999507e-3f);
    p = p * r + all(8.3334519073e-3f);
    p = p * r + all(4.1665795894e-2f);
    p = p * r + all(1.6666665459e-1f);
    p = p * r + all(5.0000001201e-1f);
    p = p * r * r + r + all(1.0f);
    ivec bits = (ivec)shifted - (ivec)magic + 127;
    return p * (vec)(bits << 23);
}

inline vec sigmoid(vec x) { return all(1.0f) / (all(1.0f) + exp(-x)); }

// Calls what(column, vectors are whole, lanes of this vector) for all columns.
template <typename What> inline void along(long columns, What what) {
    long c = 0;
    for (; c + LANES <= columns; c += LANES) what(c, true, LANES);
    if (c < columns) what(c, false, columns - c);
}
inline vec get(const float* from, bool whole, long lanes) { return whole ? load(from) : load_some(from, lanes); }
inline void put(float* to, vec x, bool whole, long lanes) { whole ? store(to, x) : store_some(to, x, lanes); }

// C (rows ≤ ROWS, 16) = A B: A[i][k] at a[i·ai + k·ak], B[k] 16 numbers at b + k·bk.
template <int ROWS>
inline void tile(const float* a, long ai, long ak, const float* b, long bk, long depth, float* c, long ci) {
    vec low[ROWS], high[ROWS];
    for (int i = 0; i < ROWS; ++i) low[i] = high[i] = all(0.0f);
    for (long k = 0; k < depth; ++k) {
        const vec left = load(b + k * bk), right = load(b + k * bk + LANES);
#pragma GCC unroll 8
        for (int i = 0; i < ROWS; ++i) {
            const vec x = all(a[i * ai + k * ak]);
            low[i] += x * left;
            high[i] += x * right;
        }
    }
    for (int i = 0; i < ROWS; ++i) {
        store(c + i * ci, low[i]);
        store(c + i * ci + LANES, high[i]);
    }
}

constexpr long HIGH = 6, WIDE = 16;
inline long up(long count, long to) { return (count + to - 1) / to * to; }

// C = A B for whole tiles: rows a multiple of 6, columns of 16; buffers are padded up to them.
inline void product(const float* a, long ai, long ak, const float* b, long bk, long rows, long columns, long depth,
                    float* c, long ci) {
    for (long j = 0; j < columns; j += WIDE)
        for (long i = 0; i < rows; i += HIGH)
            tile<HIGH>(a + i * ai, ai, ak, b + j, bk, depth, c + i * ci + j, ci);
}

// Heads of d numbers of one row of the batch, as whole tiles: zeros behind the last position and number.
struct Head {
    long length, size;        // positions, numbers of a head
    long rows, columns, wide; // positions up to whole tiles, as rows and as columns; numbers up to whole tiles

    Head(long length, long size)
        : length(length), size(size), rows(up(length, HIGH)), columns(up(length, WIDE)), wide(up(size, WIDE)) {}
    long high() const { return rows > columns ? rows : columns; }
    long matrix() const { return high() * wide; }       // floats of positions × numbers
    long square() const { return high() * columns; }    // floats of positions × positions

    // Copies a head to (positions, numbers), turned by its tables (length, size / 2) where there are any.
    void fetch(const float* from, long stride, const float* cosine, const float* sine, float sign, float factor,
               float* to) const {
        const long half = size / 2;
        std::memset(to, 0, matrix() * sizeof(float));
        for (long s = 0; s < length; ++s) {
            const float* x = from + s * stride;
            float* y = to + s * wide;
            if (!cosine) {
                for (long k = 0; k < size; ++k) y[k] = x[k] * factor;
                continue;
            }
            const float *c = cosine + s * half, *t = sine + s * half;
            for (long k = 0; k < half; ++k) {
                const float turn = sign * t[k];
                y[k] = (x[k] * c[k] - x[half + k] * turn) * factor;
                y[half + k] = (x[half + k] * c[k] + x[k] * turn) * factor;
            }
        }
    }

    // Copies (positions, numbers) back to where a head lies, turned.
    void give(const float* from, float* to, long stride, const float* cosine, const float* sine, float sign) const {
        const long half = size / 2;
        for (long s = 0; s < length; ++s) {
            const float* x = from + s * wide;
            float* y = to + s * stride;
            if (!cosine) {
                std::memcpy(y, x, size * sizeof(float));
                continue;
            }
            const float *c = cosine + s * half, *t = sine + s * half;
            for (long k = 0; k < half; ++k) {
                const float turn = sign * t[k];
                y[k] = x[k] * c[k] - x[half + k] * turn;
                y[half + k] = x[half + k] * c[k] + x[k] * turn;
            }
        }
    }

    // Writes the transpose of (positions, numbers): (numbers, columns).
    void transpose(const float* from, float* to) const {
        std::memset(to, 0, wide * columns * sizeof(float));
        for (long s = 0; s < length; ++s)
            for (long k = 0; k < size; ++k) to[k * columns + s] = from[s * wide + k];
    }

    // Turns one row of scores into e^(score - the largest), zero behind the last position; returns that one.
    // `total`: the sum of the row.
    float raise(float* row, float& total) const {
        vec tops = all(row[0]);
        along(length, [&](long c, bool whole, long lanes) {
            vec x = load(row + c);
            if (!whole)
                for (long lane = lanes; lane < LANES; ++lane) x[lane] = row[0];
            tops = x > tops ? x : tops;
        });
        float most = tops[0];
        for (long lane = 1; lane < LANES; ++lane) most = tops[lane] > most ? tops[lane] : most;
        vec sums = all(0.0f);
        along(length, [&](long c, bool whole, long lanes) {
            vec e = exp(load(row + c) - all(most));
            if (!whole)
                for (long lane = lanes; lane < LANES; ++lane) e[lane] = 0.0f;
            store(row + c, e);
            sums += e;
        });
        for (long s = up(length, LANES); s < columns; ++s) row[s] = 0.0f;
        total = sum(sums);
        return most;
    }

    // Turns one row of scores into its softmax, of which the logarithm of its sum is known.
    void softmax(float* row, float logarithm) const {
        along(length, [&](long c, bool whole, long lanes) {
            vec e = exp(load(row + c) - all(logarithm));
            if (!whole)
                for (long lane = lanes; lane < LANES; ++lane) e[lane] = 0.0f;
            store(row + c, e);
        });
        for (long s = up(length, LANES); s < columns; ++s) row[s] = 0.0f;
    }
};

struct Memory {
    float* at;
    explicit Memory(long floats) : at(static_cast<float*>(std::aligned_alloc(64, up(floats * sizeof(float), 64)))) {}
    ~Memory() { std::free(at); }
    Memory(const Memory&) = delete;
    float* take(long floats) {
        float* taken = at + used;
        used += up(floats, 16);
        return taken;
    }
    long used = 0;
};

}  // namespace

extern "C" {

// product = silu(gate) · up for matrices of `columns` numbers in rows that lie a stride apart; in place too.
void trm_swiglu(const float* gate, long gate_stride, const float* up_, long up_stride, float* product,
                long product_stride, long rows, long columns) {
#pragma omp parallel for schedule(static)
    for (long r = 0; r < rows; ++r) {
        const float *g = gate + r * gate_stride, *u = up_ + r * up_stride;
        float* p = product + r * product_stride;
        along(columns, [&](long c, bool whole, long lanes) {
            const vec x = get(g + c, whole, lanes);
            put(p + c, x * sigmoid(x) * get(u + c, whole, lanes), whole, lanes);
        });
    }
}

// From the gradient of the product, which the product itself replaces, those of gate and up.
void trm_swiglu_back(const float* gate, const float* up_, long stride, float* product, long product_stride,
                     float* gate_grad, float* up_grad, long grad_stride, long rows, long columns) {
#pragma omp parallel for schedule(static)
    for (long r = 0; r < rows; ++r) {
        const float *g = gate + r * stride, *u = up_ + r * stride;
        float *p = product + r * product_stride, *dg = gate_grad + r * grad_stride, *du = up_grad + r * grad_stride;
        along(columns, [&](long c, bool whole, long lanes) {
            const vec x = get(g + c, whole, lanes), y = get(u + c, whole, lanes), grad = get(p + c, whole, lanes);
            const vec s = sigmoid(x), silu = x * s;
            put(dg + c, grad * y * (s + silu * (all(1.0f) - s)), whole, lanes);
            put(du + c, grad * silu, whole, lanes);
            put(p + c, silu * y, whole, lanes);
        });
    }
}

// hidden ← (x + hidden) / rms(x + hidden) along rows of `columns` numbers; scale: what each was multiplied with.
void trm_norm_rows(float* hidden, const float* x, float* scale, long rows, long columns, float eps) {
#pragma omp parallel for schedule(static)
    for (long r = 0; r < rows; ++r) {
        float* h = hidden + r * columns;
        const float* from = x + r * columns;
        vec squares = all(0.0f);
        along(columns, [&](long c, bool whole, long lanes) {
            const vec total = get(h + c, whole, lanes) + get(from + c, whole, lanes);
            put(h + c, total, whole, lanes);
            squares += total * total;
        });
        const float factor = 1.0f / std::sqrt(sum(squares) / columns + eps);
        scale[r] = factor;
        along(columns, [&](long c, bool whole, long lanes) {
            put(h + c, get(h + c, whole, lanes) * all(factor), whole, lanes);
        });
    }
}

// The gradient of hidden, of that of the output: without its part along the output, times scale.
void trm_norm_rows_back(const float* grad, const float* output, const float* scale, float* result, long rows,
                        long columns) {
#pragma omp parallel for schedule(static)
    for (long r = 0; r < rows; ++r) {
        const float *g = grad + r * columns, *y = output + r * columns;
        float* d = result + r * columns;
        vec products = all(0.0f);
        along(columns, [&](long c, bool whole, long lanes) {
            products += get(g + c, whole, lanes) * get(y + c, whole, lanes);
        });
        const vec part = all(sum(products) / columns), factor = all(scale[r]);
        along(columns, [&](long c, bool whole, long lanes) {
            put(d + c, (get(g + c, whole, lanes) - get(y + c, whole, lanes) * part) * factor, whole, lanes);
        });
    }
}

constexpr long STRIPE = 256;  // columns that are normalised at once: 100 rows of them stay in the cache

// The same along columns of `rows` numbers.
void trm_norm_columns(float* hidden, const float* x, float* scale, long rows, long columns, float eps) {
#pragma omp parallel for schedule(static)
    for (long start = 0; start < columns; start += STRIPE) {
        const long width = columns - start < STRIPE ? columns - start : STRIPE;
        float squares[STRIPE] = {0};
        for (long r = 0; r < rows; ++r) {
            float* h = hidden + r * columns + start;
            const float* from = x + r * columns + start;
            along(width, [&](long c, bool whole, long lanes) {
                const vec total = get(h + c, whole, lanes) + get(from + c, whole, lanes);
                put(h + c, total, whole, lanes);
                store(squares + c, load(squares + c) + total * total);
            });
        }
        for (long c = 0; c < width; ++c)
            squares[c] = scale[start + c] = 1.0f / std::sqrt(squares[c] / rows + eps);
        for (long r = 0; r < rows; ++r) {
            float* h = hidden + r * columns + start;
            along(width, [&](long c, bool whole, long lanes) {
                put(h + c, get(h + c, whole, lanes) * load(squares + c), whole, lanes);
            });
        }
    }
}

void trm_norm_columns_back(const float* grad, const float* output, const float* scale, float* result, long rows,
                           long columns) {
#pragma omp parallel for schedule(static)
    for (long start = 0; start < columns; start += STRIPE) {
        const long width = columns - start < STRIPE ? columns - start : STRIPE;
        float parts[STRIPE] = {0};
        for (long r = 0; r < rows; ++r) {
            const float *g = grad + r * columns + start, *y = output + r * columns + start;
            along(width, [&](long c, bool whole, long lanes) {
                store(parts + c, load(parts + c) + get(g + c, whole, lanes) * get(y + c, whole, lanes));
            });
        }
        for (long c = 0; c < STRIPE; ++c) parts[c] /= rows;
        for (long r = 0; r < rows; ++r) {
            const long at = r * columns + start;
            along(width, [&](long c, bool whole, long lanes) {
                const vec g = get(grad + at + c, whole, lanes), y = get(output + at + c, whole, lanes);
                put(result + at + c, (g - y * load(parts + c)) * get(scale + start + c, whole, lanes), whole, lanes);
            });
        }
    }
}

// Attention of each position to all: qkv (length, rows, 3, heads, size), mixed (length, rows, heads, size).
// logarithms (rows, heads, length) are kept for the way back. Tables (length, size / 2), or null, turn queries and keys.
// Returns 0, or 1 where there is no memory.
int trm_attention(const float* qkv, const float* cosine, const float* sine, float* mixed, float* logarithms,
                  long length, long rows, long heads, long size) {
    const Head head(length, size);
    const long width = heads * size, stride = rows * 3 * width;
    const float factor = 1.0f / std::sqrt(static_cast<float>(size));
    int failed = 0;
#pragma omp parallel
    {
        Memory memory(4 * head.matrix() + 64 + HIGH * head.columns + HIGH * head.wide + head.wide * head.columns);
        if (!memory.at) {
#pragma omp atomic write
            failed = 1;
        }
        float *query = memory.take(head.matrix()), *key = memory.take(head.matrix());
        float *value = memory.take(head.matrix()), *turned = memory.take(head.wide * head.columns);
        float *scores = memory.take(HIGH * head.columns), *some = memory.take(HIGH * head.wide);
#pragma omp for schedule(static)
        for (long number = 0; number < rows * heads; ++number) {
            if (!memory.at) continue;
            const float* from = qkv + number / heads * 3 * width + number % heads * size;
            head.fetch(from, stride, cosine, sine, 1.0f, factor, query);
            head.fetch(from + width, stride, cosine, sine, 1.0f, 1.0f, key);
            head.fetch(from + 2 * width, stride, nullptr, nullptr, 1.0f, 1.0f, value);
            head.transpose(key, turned);
            for (long i = 0; i < length; i += HIGH) {
                product(query + i * head.wide, head.wide, 1, turned, head.columns, HIGH, head.columns, size, scores,
                        head.columns);
                float totals[HIGH];
                for (long r = 0; r < HIGH && i + r < length; ++r) {
                    const float most = head.raise(scores + r * head.columns, totals[r]);
                    logarithms[number * length + i + r] = most + std::log(totals[r]);
                }
                product(scores, head.columns, 1, value, head.wide, HIGH, head.wide, length, some, head.wide);
                for (long r = 0; r < HIGH && i + r < length; ++r) {
                    float* to = mixed + ((i + r) * rows * heads + number) * size;
                    const float inverse = 1.0f / totals[r];
                    for (long k = 0; k < size; ++k) to[k] = some[r * head.wide + k] * inverse;
                }
            }
        }
    }
    return failed;
}

// From the gradient of `mixed` that of qkv, in the same layouts.
int trm_attention_back(const float* qkv, const float* cosine, const float* sine, const float* mixed,
                       const float* logarithms, const float* grad, float* qkv_grad, long length, long rows, long heads,
                       long size) {
    const Head head(length, size);
    const long width = heads * size, stride = rows * 3 * width;
    const float factor = 1.0f / std::sqrt(static_cast<float>(size));
    int failed = 0;
#pragma omp parallel
    {
        Memory memory(7 * head.matrix() + 2 * head.wide * head.columns + 2 * head.square() + 256);
        if (!memory.at) {
#pragma omp atomic write
            failed = 1;
        }
        float *query = memory.take(head.matrix()), *key = memory.take(head.matrix());
        float *value = memory.take(head.matrix()), *change = memory.take(head.matrix());
        float* result = memory.take(head.matrix());
        float *keys = memory.take(head.wide * head.columns), *values = memory.take(head.wide * head.columns);
        float *weights = memory.take(head.square()), *scores = memory.take(head.square());
#pragma omp for schedule(static)
        for (long number = 0; number < rows * heads; ++number) {
            if (!memory.at) continue;
            const long place = number / heads * 3 * width + number % heads * size;
            const float *from = qkv + place, *out = mixed + number * size;
            head.fetch(from, stride, cosine, sine, 1.0f, factor, query);
            head.fetch(from + width, stride, cosine, sine, 1.0f, 1.0f, key);
            head.fetch(from + 2 * width, stride, nullptr, nullptr, 1.0f, 1.0f, value);
            head.fetch(grad + number * size, rows * width, nullptr, nullptr, 1.0f, 1.0f, change);
            head.transpose(key, keys);
            head.transpose(value, values);
            product(query, head.wide, 1, keys, head.columns, head.rows, head.columns, size, weights, head.columns);
            product(change, head.wide, 1, values, head.columns, head.rows, head.columns, size, scores, head.columns);
            for (long s = 0; s < length; ++s) {
                float *w = weights + s * head.columns, *d = scores + s * head.columns;
                head.softmax(w, logarithms[number * length + s]);
                vec parts = all(0.0f);
                along(size, [&](long k, bool whole, long lanes) {
                    parts += load(change + s * head.wide + k) * get(out + s * rows * width + k, whole, lanes);
                });
                const float delta = sum(parts);
                for (long c = 0; c < head.columns; c += LANES)
                    store(d + c, load(w + c) * (load(d + c) - all(delta)));
            }
            // Rows behind the last position are no part of any sum: products over positions end before them.
            float* to = qkv_grad + place;
            product(weights, 1, head.columns, change, head.wide, head.rows, head.wide, length, result, head.wide);
            head.give(result, to + 2 * width, stride, nullptr, nullptr, 1.0f);
            product(scores, 1, head.columns, query, head.wide, head.rows, head.wide, length, result, head.wide);
            head.give(result, to + width, stride, cosine, sine, -1.0f);
            product(scores, head.columns, 1, key, head.wide, head.rows, head.wide, length, result, head.wide);
            for (long k = 0; k < length * head.wide; ++k) result[k] *= factor;
            head.give(result, to, stride, cosine, sine, -1.0f);
        }
    }
    return failed;
}

}  // extern "C"
