// ldmatrix and mma.sync (m16n8k8, k16, k32) with the documented layouts of their fragments. Integer products are exact;
// floating-point ones are summed in double and rounded once, which a device need not do: never compare their bits.
#include <algorithm>

#include "machine.h"
#include "operations.h"

namespace emulator {
namespace {
void matrixLoaded(Context& c, const Instruction& in, u32 lanes) {
    if (lanes != ~0u) fail(c, in, -1, LAUNCH_FAILED, "ldmatrix with inactive lanes");
    u8 rows[4][8][16];
    for (int k = 0; k < in.count; k++) {
        for (int r = 0; r < 8; r++) {
            int lane = k * 8 + r;
            memcpy(rows[k][r], translate(c, in, in.space, addressOf(c, in.address, lane), 16, lane, Access::READ), 16);
        }
    }
    for (int k = 0; k < in.count; k++) {
        u32* d = out<u32>(c, in, k);
        for (int lane = 0; lane < warpSize; lane++) {
            u16 pair[2];
            for (int h = 0; h < 2; h++) {
                int row = lane / 4, column = lane % 4 * 2 + h;
                if (in.flag) std::swap(row, column);
                memcpy(&pair[h], &rows[k][row][column * 2], 2);
            }
            d[lane] = pair[0] | (u32)pair[1] << 16;
        }
    }
}

// An element of a register, as the number that it stands for: exact in double for every type.
double element(u32 registerBits, int index, Type type) {
    u16 half = (u16)(registerBits >> 16 * index);
    u8 byte = (u8)(registerBits >> 8 * index);
    switch (type) {
        case F16: return halfToFloat(half);
        case BF16: return bfloatToFloat(half);
        case S8: return (s8)byte;
        case U8: return byte;
        default: return fp8ToFloat(byte, type == E4M3X2);
    }
}

struct Tiles {
    double a[16][32], b[32][8];
};

void readTiles(Context& c, const Instruction& in, Tiles& tiles) {
    int perRegister = in.type == F16 || in.type == BF16 ? 2 : 4, columns = perRegister * 4;
    for (int lane = 0; lane < warpSize; lane++) {
        int group = lane >> 2, quad = lane & 3;
        for (int r = 0; r < in.variant2; r++) {
            u32 bits = arg<u32>(c, in, 4 + r)[lane];
            for (int e = 0; e < perRegister; e++) {
                tiles.a[group + (r & 1) * 8][quad * perRegister + e + (r >> 1) * columns] = element(bits, e, in.type);
            }
        }
        for (int r = 0; r < in.count; r++) {
            u32 bits = arg<u32>(c, in, 4 + in.variant2 + r)[lane];
            for (int e = 0; e < perRegister; e++) {
                tiles.b[quad * perRegister + e + r * columns][group] = element(bits, e, in.type);
            }
        }
    }
}

void multiplied(Context& c, const Instruction& in, u32 lanes) {
    if (lanes != ~0u) fail(c, in, -1, LAUNCH_FAILED, "mma with inactive lanes");
    Tiles tiles;
    readTiles(c, in, tiles);
    bool integer = in.type == S8 || in.type == U8;
    u32 results[4][warpSize];
    for (int lane = 0; lane < warpSize; lane++) {
        for (int r = 0; r < 4; r++) {
            int row = (lane >> 2) + (r >> 1) * 8, column = (lane & 3) * 2 + (r & 1);
            u32 added = arg<u32>(c, in, 4 + in.variant2 + in.count + r)[lane];
            double sum = 0;
            for (int k = 0; k < in.variant; k++) sum += tiles.a[row][k] * tiles.b[k][column];
            results[r][lane] = integer ? added + (u32)(s32)sum : bitCast<u32>((float)(sum + bitCast<float>(added)));
        }
    }
    for (int r = 0; r < 4; r++) memcpy(out<u32>(c, in, r), results[r], sizeof results[r]);
}
}  // namespace

Operation loadMatrix() { return matrixLoaded; }
Operation multiplyMatrices() { return multiplied; }
}  // namespace emulator
