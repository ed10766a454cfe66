// The operations that the decoder chooses among, by the file that holds them. All of them answer null for a type that
// they do not have. Operand 0 is the result unless a comment says otherwise.
#pragma once
#include "program.h"

namespace emulator {
enum class Rounding : u8 { NEAREST, ZERO, DOWN, UP };

// integers.cpp
Operation integerUnary(const std::string& name, Type type);
Operation integerBinary(const std::string& name, Type type);   // with "mulhi", "mul24"
Operation integerTernary(const std::string& name, Type type);  // "mad", "madhi", "sad"
Operation wideMultiply(Type type, bool add);
enum class Carry : u8 { ADD, SUBTRACT, MULTIPLY_LOW, MULTIPLY_HIGH };
Operation carryArithmetic(Type type);  // variant: Carry; flag: sets the carry; variant2: uses it
Operation dotProduct4();
Operation dotProduct2();  // flag: upper half

// floats.cpp
Operation floatUnary(const std::string& name, Type type, bool ftz);
Operation floatBinary(const std::string& name, Type type, bool ftz, bool saturate);
Operation multiplyAdd(Type type, Rounding rounding, bool ftz, bool saturate);  // variant: Rounding
enum class HalfOp : u8 { ADD, SUBTRACT, MULTIPLY, FMA, MINIMUM, MAXIMUM, NEGATE, ABSOLUTE };
Operation halfArithmetic();  // variant: HalfOp
u16 halfResult(HalfOp op, bool bfloat, u16 x, u16 y, u16 z);
Operation testProperty(Type type);  // variant: see floats.cpp
Operation copySign(Type type);

// bits.cpp
Operation bitwise(const std::string& name, Type type);  // and, or, xor, not
Operation shift(const std::string& name, Type type);
Operation funnelShift();  // variant: 0 left, 1 right; flag: clamp
Operation bitFieldExtract(Type type);
Operation bitFieldInsert(Type type);
Operation countBits(const std::string& name, Type type);  // popc, clz, bfind, brev
Operation permuteBytes();
Operation threeInputLogic();

// moves.cpp
enum class Compare : u8 { EQ, NE, LT, LE, GT, GE, EQU, NEU, LTU, LEU, GTU, GEU, NUM, UNORDERED };
enum class Combine : u8 { NOTHING, AND, OR, XOR };
// Operands: p, q or nothing, a, b, predicate. variant: Compare; variant2: Combine.
Operation compare(Type type, Compare how);
Operation select(Type type);
Operation selectBySign(Type type);
Operation move(Type type);
Operation unpackVector(Type whole, int parts);  // results first, the source last
Operation packVector(Type whole, int parts);
Operation toGeneric();    // cvta
Operation fromGeneric();  // cvta.to
Operation nothing();

// convert.cpp: variant: Rounding, +8 where the result is to be a whole number
Operation convert(const Instruction& in);
Operation convertPair();  // operands: d, high, low; flag: relu
Operation convertFp8Pair();

// memory.cpp
Operation load(const Instruction& in);
Operation store(Type type);
enum class Atomic : u8 { ADD, MINIMUM, MAXIMUM, AND, OR, XOR, EXCHANGE, COMPARE_SWAP, INCREMENT, DECREMENT };
Operation atomic(Type type, Atomic op);  // operands: d or nothing, b, c; variant: Atomic
Operation copyAsync();                   // address <- address2, count bytes; operand 0: bytes of the source
Operation commitCopies();
Operation waitForCopies();  // target: groups that may be left; flag: none, open ones neither
Operation trap();

// warps.cpp
enum class Shuffle : u8 { UP, DOWN, BUTTERFLY, INDEX };
Operation shuffle();  // operands: d, p or nothing, a, b, c, mask
enum class Vote : u8 { BALLOT, ANY, ALL, UNIFORM };
Operation vote();    // operands: d, predicate, mask
Operation reduce();  // operands: d, a, mask; variant: Atomic
Operation match();   // operands: d, p or nothing, a, mask; flag: all
Operation activeLanes();
Operation synchroniseWarp();

// tensors.cpp
Operation loadMatrix();
Operation multiplyMatrices();  // operands: d[4], a, b, c[4]; variant: K; variant2: registers of a; count: of b
}  // namespace emulator
