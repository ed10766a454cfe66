// Reads the text of a PTX module: directives, declarations and the statements of kernels. The decoder (decoder.cpp)
// turns each statement into an instruction.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "program.h"

namespace emulator {
struct Variable {
    Space space;
    u64 address;
    u32 size;
};
struct Register {
    s32 offset;
    u8 size;
};
// A declaration such as ".align 4 .b8 name[24] = {..}", after the word of its state space.
struct Declaration {
    std::string name, initial;
    u32 align = 0, elementBytes = 1, count = 1;
    bool open = false;  // name[]
    u32 bytes() const { return elementBytes * count; }
};

std::string trimmed(const std::string& s);
// Cuts at separators that are in no bracket.
std::vector<std::string> split(const std::string& s, char separator);

class Parser {
  public:
    Parser(const char* text, Module& module, Memory& memory) : text(text), p(text), module(module), memory(memory) {}
    void parse();

    // For the decoder.
    [[noreturn]] void error(const std::string& what);
    int currentFile() const { return file; }
    int currentLine() const { return sourceLine; }
    Operand source(std::string name, Type type, int bytes = 0);  // bytes: 0 those of the type, -1 any
    Operand destination(const std::string& name, int bytes);
    Address address(std::string text, Space& space);
    s32 predicate(const std::string& name);
    void branchTo(const std::string& label);  // of the instruction that is decoded
    void branchToTable(const std::string& label);
    static std::vector<std::string> elements(const std::string& text);  // of {a, b}
    bool isRegister(const std::string& name) { return findRegister(name) != nullptr; }

  private:
    struct Scope {
        std::map<std::string, Register> registers;
        std::map<std::string, Variable> variables;
        int id;
    };
    struct Jump {
        u32 instruction;
        std::string label;
        std::vector<int> scopes;
        bool table;
    };

    const char *text, *p;
    int line = 1, file = 0, sourceLine = 0;
    Module& module;
    Memory& memory;
    std::map<std::string, Variable> globals;
    std::string dynamicShared;  // name of the open array
    std::vector<Declaration> sharedGlobals;

    // Of the function that is read.
    Function* f = nullptr;
    std::vector<Scope> scopes;
    int nextScope = 0;
    std::map<std::string, u32> labels;
    std::map<std::string, std::vector<std::string>> tables;
    std::map<std::string, Parameter> parameters;
    std::vector<Jump> jumps;
    std::vector<std::pair<Operand, u32>> dynamicConstants;
    u32 sharedTop = 0;

    void skipSpace();
    std::string word();
    bool eat(char c);
    std::string until(char c);
    void skipLine();
    void skipBraces();

    void readFiles();
    void moduleDirective(const std::string& name);
    void globalVariable(const std::string& text, bool shared);
    void initialise(const Declaration& d, u64 at);
    Declaration declaration(const std::string& text);

    void entry();
    void declareSpecialRegisters();
    void readParameters(const std::string& text);
    void entryDirectives();
    void body();
    bool label();
    bool bodyDirective(const std::string& statement);
    void declareRegisters(const std::string& text);
    void finish();
    u32 targetOf(const Jump& jump, const std::string& label);

    Register newRegister(int bytes);
    Register* findRegister(const std::string& name);
    bool findVariable(const std::string& name, Variable& variable);
    Operand constant(u64 bits, int bytes);
    Operand number(const std::string& text, Type type, int bytes);
    std::vector<int> scopeIds() const;
};

// Appends the instruction of a statement to a function.
void decode(Parser& parser, Function& function, const std::string& statement, int line);
}  // namespace emulator
