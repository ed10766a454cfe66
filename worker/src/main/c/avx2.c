// All kernels for AVX2.
#include "avx2.h"
#include "quantise.h"
#include "coding.h"
#include "coded.h"
#include "floats.h"
#include "elements.h"
#include "attention.h"
#include "peaks.h"

#define VARIANT bergfried_avx2
#include "table.h"
