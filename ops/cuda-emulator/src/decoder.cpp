// From the text of an instruction to the operation that executes it. What is not understood in every detail is refused:
// a kernel runs as written, or not at all.
#include <algorithm>

#include "operations.h"
#include "parser.h"

namespace emulator {
namespace {
class Decoder {
  public:
    Decoder(Parser& parser, const std::string& statement, int line) : parser(parser) {
        in.line = line;
        in.file = parser.currentFile();
        in.sourceLine = parser.currentLine();
        readParts(statement);
    }

    Instruction decode() {
        static const std::map<std::string, void (Decoder::*)()> forms = {{"add", &Decoder::addition},
                                                                         {"sub", &Decoder::addition},
                                                                         {"mul", &Decoder::multiplication},
                                                                         {"mul24", &Decoder::multiplication},
                                                                         {"min", &Decoder::extremum},
                                                                         {"max", &Decoder::extremum},
                                                                         {"addc", &Decoder::carrying},
                                                                         {"subc", &Decoder::carrying},
                                                                         {"madc", &Decoder::carrying},
                                                                         {"mad", &Decoder::multiplyAddition},
                                                                         {"fma", &Decoder::multiplyAddition},
                                                                         {"sad", &Decoder::difference},
                                                                         {"div", &Decoder::division},
                                                                         {"rem", &Decoder::remainder},
                                                                         {"abs", &Decoder::sign},
                                                                         {"neg", &Decoder::sign},
                                                                         {"rcp", &Decoder::function},
                                                                         {"sqrt", &Decoder::function},
                                                                         {"rsqrt", &Decoder::function},
                                                                         {"ex2", &Decoder::function},
                                                                         {"lg2", &Decoder::function},
                                                                         {"sin", &Decoder::function},
                                                                         {"cos", &Decoder::function},
                                                                         {"tanh", &Decoder::function},
                                                                         {"testp", &Decoder::property},
                                                                         {"copysign", &Decoder::copiedSign},
                                                                         {"and", &Decoder::logic},
                                                                         {"or", &Decoder::logic},
                                                                         {"xor", &Decoder::logic},
                                                                         {"not", &Decoder::logic},
                                                                         {"shl", &Decoder::shifting},
                                                                         {"shr", &Decoder::shifting},
                                                                         {"shf", &Decoder::funnel},
                                                                         {"bfe", &Decoder::bitField},
                                                                         {"bfi", &Decoder::bitField},
                                                                         {"popc", &Decoder::counting},
                                                                         {"clz", &Decoder::counting},
                                                                         {"bfind", &Decoder::counting},
                                                                         {"brev", &Decoder::reversal},
                                                                         {"prmt", &Decoder::permutation},
                                                                         {"lop3", &Decoder::lookup},
                                                                         {"dp4a", &Decoder::dotProduct},
                                                                         {"dp2a", &Decoder::dotProduct},
                                                                         {"setp", &Decoder::comparison},
                                                                         {"selp", &Decoder::selection},
                                                                         {"slct", &Decoder::selection},
                                                                         {"mov", &Decoder::moving},
                                                                         {"cvt", &Decoder::conversion},
                                                                         {"ld", &Decoder::loading},
                                                                         {"ldu", &Decoder::loading},
                                                                         {"st", &Decoder::storing},
                                                                         {"atom", &Decoder::atomics},
                                                                         {"red", &Decoder::atomics},
                                                                         {"cvta", &Decoder::addressConversion},
                                                                         {"bra", &Decoder::branch},
                                                                         {"brx", &Decoder::tableBranch},
                                                                         {"ret", &Decoder::exit},
                                                                         {"exit", &Decoder::exit},
                                                                         {"bar", &Decoder::barrier},
                                                                         {"barrier", &Decoder::barrier},
                                                                         {"membar", &Decoder::hint},
                                                                         {"fence", &Decoder::hint},
                                                                         {"prefetch", &Decoder::hint},
                                                                         {"prefetchu", &Decoder::hint},
                                                                         {"nanosleep", &Decoder::hint},
                                                                         {"trap", &Decoder::trapping},
                                                                         {"shfl", &Decoder::shuffling},
                                                                         {"vote", &Decoder::voting},
                                                                         {"redux", &Decoder::reducing},
                                                                         {"match", &Decoder::matching},
                                                                         {"activemask", &Decoder::activeMask},
                                                                         {"cp", &Decoder::copying},
                                                                         {"ldmatrix", &Decoder::matrixLoading},
                                                                         {"mma", &Decoder::matrixProduct}};
        auto form = forms.find(op);
        if (form == forms.end()) refuse();
        (this->*form->second)();
        if (!in.run) refuse();
        return std::move(in);
    }

  private:
    Parser& parser;
    Instruction in;
    std::string mnemonic, op;
    std::vector<std::string> modifiers, operands;
    std::vector<Type> types;
    Type type = NONE;
    Rounding rounding = Rounding::NEAREST;

    [[noreturn]] void refuse() { parser.error("unsupported instruction " + mnemonic); }
    void refuseIf(bool condition) {
        if (condition) refuse();
    }
    bool has(const char* modifier) const {
        return std::find(modifiers.begin(), modifiers.end(), modifier) != modifiers.end();
    }

    void readParts(std::string statement) {
        if (statement[0] == '@') {
            size_t end = statement.find_first_of(" \t");
            in.guardNegated = statement[1] == '!';
            size_t start = in.guardNegated ? 2 : 1;
            in.guard = parser.predicate(statement.substr(start, end - start));
            statement = trimmed(statement.substr(end));
        }
        size_t end = statement.find_first_of(" \t");
        mnemonic = statement.substr(0, end);
        if (end != std::string::npos) operands = split(trimmed(statement.substr(end)), ',');
        modifiers = split(mnemonic, '.');
        op = modifiers[0];
        modifiers.erase(modifiers.begin());
        for (auto& m : modifiers) readModifier(m);
        type = types.empty() ? NONE : types.back();
        in.type = type;
        in.ftz = has("ftz");
        in.saturate = has("sat");
    }
    void readModifier(const std::string& modifier) {
        static const std::map<std::string, Space> spaces = {
            {"global", GLOBAL}, {"shared", SHARED}, {"local", LOCAL}, {"param", PARAM}, {"const", CONSTANT}};
        static const std::map<std::string, Rounding> roundings = {{"rz", Rounding::ZERO}, {"rzi", Rounding::ZERO},
                                                                  {"rm", Rounding::DOWN}, {"rmi", Rounding::DOWN},
                                                                  {"rp", Rounding::UP},   {"rpi", Rounding::UP}};
        if (Type t = typeNamed(modifier)) types.push_back(t);
        auto space = spaces.find(modifier.substr(0, modifier.find("::")));
        if (space != spaces.end()) in.space = space->second;
        auto r = roundings.find(modifier);
        if (r != roundings.end()) rounding = r->second;
    }

    void need(size_t n) {
        if (operands.size() != n) parser.error(mnemonic + " takes " + std::to_string(n) + " operands");
    }
    void result(int bytes) { in.operands.push_back(parser.destination(operands[0], bytes)); }
    void input(size_t k, Type t, int bytes = 0) { in.operands.push_back(parser.source(operands[k], t, bytes)); }
    // n operands that all have the instruction's type, the first one the result.
    void alike(size_t n) {
        need(n);
        result(bytesOf(type));
        for (size_t k = 1; k < n; k++) input(k, type);
    }
    // "p" or "p|q".
    void resultPair(int bytes, int secondBytes) {
        auto pair = split(operands[0], '|');
        in.operands.push_back(parser.destination(pair[0], bytes));
        in.operands.push_back(pair.size() > 1 ? parser.destination(pair[1], secondBytes) : Operand());
    }

    void halfOf(HalfOp form, size_t n) {
        refuseIf(has("NaN") || has("relu"));
        alike(n);
        in.variant = (u8)form;
        in.run = halfArithmetic();
    }

    // ---- arithmetic
    void addition() {
        if (has("cc")) return carrying();
        if (isHalf(type)) return halfOf(op == "add" ? HalfOp::ADD : HalfOp::SUBTRACT, 3);
        refuseIf(rounding != Rounding::NEAREST || (in.saturate && !isFloat(type)));
        alike(3);
        in.run = isFloat(type) ? floatBinary(op, type, in.ftz, in.saturate) : integerBinary(op, type);
    }
    void multiplication() {
        if (isHalf(type)) return halfOf(HalfOp::MULTIPLY, 3);
        if (isFloat(type)) return addition();
        if (has("wide")) {
            need(3);
            result(2 * bytesOf(type));
            input(1, type);
            input(2, type);
            in.run = wideMultiply(type, false);
            return;
        }
        alike(3);
        refuseIf(op == "mul24" && has("hi"));
        in.run = integerBinary(op == "mul" && has("hi") ? "mulhi" : op, type);
    }
    void extremum() {
        if (isHalf(type)) return halfOf(op == "min" ? HalfOp::MINIMUM : HalfOp::MAXIMUM, 3);
        refuseIf(has("NaN") || has("xorsign") || has("relu"));
        alike(3);
        in.run = isFloat(type) ? floatBinary(op, type, in.ftz, false) : integerBinary(op, type);
    }
    void carrying() {
        bool product = op[0] == 'm';
        alike(product ? 4 : 3);
        in.flag = has("cc");
        in.variant2 = op.size() == 4;
        auto form = op[0] == 'a'   ? Carry::ADD
                    : op[0] == 's' ? Carry::SUBTRACT
                    : has("hi")    ? Carry::MULTIPLY_HIGH
                                   : Carry::MULTIPLY_LOW;
        refuseIf(form == Carry::MULTIPLY_HIGH && isSigned(type));
        in.variant = (u8)form;
        in.run = carryArithmetic(type);
    }
    void multiplyAddition() {
        if (has("cc")) return carrying();
        if (isHalf(type)) return halfOf(HalfOp::FMA, 4);
        if (has("wide")) {
            need(4);
            result(2 * bytesOf(type));
            input(1, type);
            input(2, type);
            input(3, type, 2 * bytesOf(type));
            in.run = wideMultiply(type, true);
            return;
        }
        alike(4);
        in.variant = (u8)rounding;
        in.run = isFloat(type) ? multiplyAdd(type, rounding, in.ftz, in.saturate)
                               : integerTernary(has("hi") ? "madhi" : "mad", type);
    }
    void difference() {
        alike(4);
        in.run = integerTernary(op, type);
    }
    void division() {
        refuseIf(rounding != Rounding::NEAREST);
        alike(3);
        in.run = isFloat(type) ? floatBinary(op, type, in.ftz, false) : integerBinary(op, type);
    }
    void remainder() {
        alike(3);
        in.run = integerBinary(op, type);
    }
    void sign() {
        if (isHalf(type)) return halfOf(op == "neg" ? HalfOp::NEGATE : HalfOp::ABSOLUTE, 2);
        alike(2);
        refuseIf(in.ftz);
        in.run = isFloat(type) ? floatUnary(op, type, false) : integerUnary(op, type);
    }
    void function() {
        refuseIf(rounding != Rounding::NEAREST || isHalf(type));
        alike(2);
        in.run = floatUnary(op, type, in.ftz);
    }
    void property() {
        need(2);
        result(1);
        input(1, type);
        const char* names[] = {"finite", "infinite", "number", "notanumber", "normal", "subnormal"};
        auto found = std::find(std::begin(names), std::end(names), modifiers[0]);
        refuseIf(found == std::end(names));
        in.variant = (u8)(found - names);
        in.run = testProperty(type);
    }
    void copiedSign() {
        alike(3);
        in.run = copySign(type);
    }
    void dotProduct() {
        need(4);
        result(4);
        for (size_t k = 1; k < 4; k++) input(k, B32);
        refuseIf(types.size() != 2);
        in.type = types[0];
        in.sourceType = types[1];
        in.flag = has("hi");
        in.run = op == "dp4a" ? dotProduct4() : dotProduct2();
    }

    // ---- bits
    void logic() {
        alike(op == "not" ? 2 : 3);
        in.run = bitwise(op, type);
    }
    void shifting() {
        need(3);
        result(bytesOf(type));
        input(1, type);
        input(2, U32);
        in.run = shift(op, type);
    }
    void funnel() {
        alike(4);
        in.variant = has("r");
        in.flag = has("clamp");
        in.run = funnelShift();
    }
    void bitField() {
        bool inserts = op == "bfi";
        need(inserts ? 5 : 4);
        result(bytesOf(type));
        input(1, type);
        if (inserts) input(2, type);
        input(inserts ? 3 : 2, U32);
        input(inserts ? 4 : 3, U32);
        in.run = inserts ? bitFieldInsert(type) : bitFieldExtract(type);
    }
    void counting() {
        need(2);
        refuseIf(has("shiftamt"));
        result(4);
        input(1, type);
        in.run = countBits(op, type);
    }
    void reversal() {
        alike(2);
        in.run = countBits(op, type);
    }
    void permutation() {
        refuseIf(modifiers.size() != 1);
        alike(4);
        in.run = permuteBytes();
    }
    void lookup() {
        need(5);
        result(4);
        for (size_t k = 1; k < 5; k++) input(k, B32);
        in.run = threeInputLogic();
    }

    // ---- comparisons and moves
    void comparison() {
        static const std::map<std::string, Compare> names = {
            {"eq", Compare::EQ},   {"ne", Compare::NE},        {"lt", Compare::LT},   {"le", Compare::LE},
            {"gt", Compare::GT},   {"ge", Compare::GE},        {"lo", Compare::LT},   {"ls", Compare::LE},
            {"hi", Compare::GT},   {"hs", Compare::GE},        {"equ", Compare::EQU}, {"neu", Compare::NEU},
            {"ltu", Compare::LTU}, {"leu", Compare::LEU},      {"gtu", Compare::GTU}, {"geu", Compare::GEU},
            {"num", Compare::NUM}, {"nan", Compare::UNORDERED}};
        auto found = names.find(modifiers[0]);
        refuseIf(found == names.end() || in.ftz);
        auto with = has("and") ? Combine::AND : has("or") ? Combine::OR : has("xor") ? Combine::XOR : Combine::NOTHING;
        need(with == Combine::NOTHING ? 3 : 4);
        resultPair(1, 1);
        input(1, type);
        input(2, type);
        if (with != Combine::NOTHING) input(3, PRED);
        in.variant = (u8)found->second;
        in.variant2 = (u8)with;
        in.run = compare(type, found->second);
    }
    void selection() {
        bool bySign = op == "slct";
        Type chosen = bySign ? types[0] : type;
        need(4);
        refuseIf(bySign && type != S32);
        result(bytesOf(chosen));
        input(1, chosen);
        input(2, chosen);
        input(3, bySign ? S32 : PRED);
        in.run = bySign ? selectBySign(chosen) : select(chosen);
    }
    void moving() {
        need(2);
        int bytes = bytesOf(type);
        if (operands[0][0] == '{') {
            auto parts = Parser::elements(operands[0]);
            for (auto& part : parts) in.operands.push_back(parser.destination(part, bytes / (int)parts.size()));
            input(1, type);
            in.run = unpackVector(type, (int)parts.size());
        } else if (operands[1][0] == '{') {
            auto parts = Parser::elements(operands[1]);
            result(bytes);
            for (auto& part : parts) {
                in.operands.push_back(parser.source(part, NONE, bytes / (int)parts.size()));
            }
            in.run = packVector(type, (int)parts.size());
        } else {
            result(bytes);
            input(1, type);
            in.run = move(type);
        }
    }
    void conversion() {
        refuseIf(types.size() != 2);
        in.type = types[0];
        in.sourceType = types[1];
        in.flag = has("relu");
        bool whole = has("rni") || has("rzi") || has("rmi") || has("rpi");
        in.variant = (u8)rounding | (whole ? 8 : 0);
        bool pair =
            bytesOf(in.type) && !isFloat(in.type) && (isHalf(in.type) || in.type == E4M3X2 || in.type == E5M2X2);
        if (pair && (in.sourceType == E4M3X2 || in.sourceType == E5M2X2)) {
            need(2);
            result(4);
            input(1, B16);
            in.run = convertFp8Pair();
        } else if (pair) {
            need(3);
            refuseIf(in.sourceType != F32 || rounding != Rounding::NEAREST);
            result(bytesOf(in.type));
            input(1, F32);
            input(2, F32);
            in.run = convertPair();
        } else {
            need(2);
            refuseIf(in.flag);
            result(0);
            input(1, in.sourceType, -1);
            in.run = convert(in);
        }
    }
    void addressConversion() {
        need(2);
        result(8);
        input(1, U64);
        in.run = has("to") ? fromGeneric() : toGeneric();
    }

    // ---- memory
    void readCount(const std::vector<std::string>& elements) {
        in.count = has("v2") ? 2 : has("v4") ? 4 : has("v8") ? 8 : 1;
        if (elements.size() != in.count) parser.error(mnemonic + " has another number of elements");
    }
    void checkWidths() {
        for (auto& o : in.operands) {
            if (o.offset >= 0 && o.size < bytesOf(type)) parser.error("register too narrow for " + mnemonic);
        }
    }
    void loading() {
        need(2);
        auto names = Parser::elements(operands[0]);
        readCount(names);
        for (auto& name : names) in.operands.push_back(parser.destination(name, 0));
        checkWidths();
        in.address = parser.address(operands[1], in.space);
        refuseIf(in.space == PARAM && in.address.base >= 0);
        in.run = load(in);
    }
    void storing() {
        need(2);
        auto names = Parser::elements(operands[1]);
        readCount(names);
        for (auto& name : names) {
            in.operands.push_back(parser.source(name, type, parser.isRegister(name) ? -1 : 0));
        }
        checkWidths();
        in.address = parser.address(operands[0], in.space);
        refuseIf(in.space == PARAM);
        in.run = store(type);
    }
    Atomic atomicForm() {
        static const std::map<std::string, Atomic> names = {{"add", Atomic::ADD},       {"min", Atomic::MINIMUM},
                                                            {"max", Atomic::MAXIMUM},   {"and", Atomic::AND},
                                                            {"or", Atomic::OR},         {"xor", Atomic::XOR},
                                                            {"exch", Atomic::EXCHANGE}, {"cas", Atomic::COMPARE_SWAP},
                                                            {"inc", Atomic::INCREMENT}, {"dec", Atomic::DECREMENT}};
        for (auto& modifier : modifiers) {
            auto found = names.find(modifier);
            if (found != names.end()) return found->second;
        }
        refuse();
    }
    void atomics() {
        auto form = atomicForm();
        bool swap = form == Atomic::COMPARE_SWAP, answers = op == "atom";
        refuseIf(has("v2") || has("v4"));
        need((answers ? 3 : 2) + swap);
        size_t first = answers ? 1 : 0;
        in.operands.push_back(answers ? parser.destination(operands[0], bytesOf(type)) : Operand());
        in.address = parser.address(operands[first], in.space);
        input(first + 1, type);
        if (swap) input(first + 2, type);
        in.variant = (u8)form;
        in.run = atomic(type, form);
    }
    void copying() {
        refuseIf(!has("async") || has("bulk") || has("mbarrier"));
        if (has("commit_group")) {
            in.run = commitCopies();
        } else if (has("wait_group") || has("wait_all")) {
            in.flag = has("wait_all");
            if (!in.flag) in.target = (u32)atoi(operands[0].c_str());
            in.run = waitForCopies();
        } else {
            Space shared = SHARED, global = GLOBAL;
            in.space = SHARED;
            in.address = parser.address(operands[0], shared);
            in.address2 = parser.address(operands[1], global);
            in.count = (u8)atoi(operands[2].c_str());
            if (operands.size() > 3) input(3, U32);
            in.run = copyAsync();
        }
    }

    // ---- flow
    void branch() {
        in.flow = Flow::BRANCH;
        parser.branchTo(operands[0]);
        in.run = nothing();
    }
    void tableBranch() {
        need(2);
        in.flow = Flow::BRANCH_TABLE;
        input(0, U32);
        parser.branchToTable(operands[1]);
        in.run = nothing();
    }
    void exit() {
        in.flow = Flow::EXIT;
        in.run = nothing();
    }
    void barrier() {
        if (has("warp")) {
            need(1);
            input(0, B32);
            collective(0);
            in.run = synchroniseWarp();
            return;
        }
        refuseIf(!has("sync") || has("cluster"));
        in.flow = Flow::BARRIER;
        for (size_t k = 0; k < operands.size(); k++) input(k, U32);
        in.run = nothing();
    }
    void hint() { in.run = nothing(); }
    void trapping() { in.run = trap(); }

    // ---- collectives
    void collective(int memberMask) {
        in.flow = Flow::COLLECTIVE;
        in.memberMask = (s8)memberMask;
    }
    void shuffling() {
        need(5);
        refuseIf(!has("sync"));
        resultPair(4, 1);
        for (size_t k = 1; k < 5; k++) input(k, B32);
        collective(5);
        in.variant = (u8)(has("up")     ? Shuffle::UP
                          : has("down") ? Shuffle::DOWN
                          : has("bfly") ? Shuffle::BUTTERFLY
                                        : Shuffle::INDEX);
        in.run = shuffle();
    }
    void voting() {
        need(3);
        refuseIf(!has("sync"));
        auto kind = has("ballot") ? Vote::BALLOT : has("any") ? Vote::ANY : has("all") ? Vote::ALL : Vote::UNIFORM;
        result(kind == Vote::BALLOT ? 4 : 1);
        input(1, PRED);
        input(2, B32);
        collective(2);
        in.variant = (u8)kind;
        in.run = vote();
    }
    void reducing() {
        need(3);
        result(4);
        input(1, type);
        input(2, B32);
        collective(2);
        in.variant = (u8)atomicForm();
        in.run = reduce();
    }
    void matching() {
        need(3);
        refuseIf(!has("sync"));
        resultPair(4, 1);
        input(1, type);
        input(2, B32);
        collective(3);
        in.flag = has("all");
        in.run = match();
    }
    void activeMask() {
        need(1);
        result(4);
        in.run = activeLanes();
    }
    void matrixLoading() {
        need(2);
        auto names = Parser::elements(operands[0]);
        in.count = (u8)names.size();
        in.flag = has("trans");
        for (auto& name : names) in.operands.push_back(parser.destination(name, 4));
        in.space = SHARED;
        in.address = parser.address(operands[1], in.space);
        collective(-1);
        in.run = loadMatrix();
    }
    void matrixProduct() {
        need(4);
        int k = has("m16n8k8") ? 8 : has("m16n8k16") ? 16 : has("m16n8k32") ? 32 : 0;
        size_t n = modifiers.size();
        refuseIf(!k || !has("row") || n < 4 || modifiers[n - 3] != modifiers[n - 2]);
        refuseIf(modifiers[n - 4] != "f32" && modifiers[n - 4] != "s32");
        const std::string& element = modifiers[n - 3];
        in.type = element == "e4m3" ? E4M3X2 : element == "e5m2" ? E5M2X2 : typeNamed(element);
        int bytes = in.type == BF16 || in.type == F16 ? 2 : 1;
        in.variant = (u8)k;
        in.variant2 = (u8)(16 * k * bytes / 128);
        in.count = (u8)(8 * k * bytes / 128);
        for (auto& name : Parser::elements(operands[0])) in.operands.push_back(parser.destination(name, 4));
        for (size_t part = 1; part < 4; part++) {
            for (auto& name : Parser::elements(operands[part])) in.operands.push_back(parser.source(name, B32));
        }
        refuseIf(in.operands.size() != 8u + in.variant2 + in.count);
        collective(-1);
        in.run = multiplyMatrices();
    }
};
}  // namespace

void decode(Parser& parser, Function& function, const std::string& statement, int line) {
    function.code.push_back(Decoder(parser, statement, line).decode());
}
}  // namespace emulator
