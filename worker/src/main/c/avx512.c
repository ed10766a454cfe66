// All kernels for AVX-512.
#include "avx512.h"
#include "quantise.h"
#include "coding.h"
#include "coded.h"
#include "floats.h"
#include "elements.h"
#include "attention.h"
#include "peaks.h"

#define VARIANT bergfried_avx512
#include "table.h"
