// SPDX-License-Identifier: Apache-2.0
// Runs a compiled expression. Takes no lock, makes no system call, and no allocation either unless
// a rule builds text or lists of more than half a kilobyte.
//
// Threads: any number at once on one program.
#pragma once

#include <cstdint>

#include "flag/context.h"
#include "flag/program.h"
#include "flag/scratch.h"
#include "flag/value.h"

namespace showcaller {

// What the steps from `first` on give for the frame. Check scratch->error() before using it; it
// views the scratch memory.
Value evaluate_program(const Program& program, std::uint32_t first, const EvaluationFrame& frame,
                       Scratch* scratch);

// The same of a flag's rule: the place of the variant that it names, and 1; or 0, and `otherwise`
// is what it gives instead.
std::uint32_t decide_variant(const Program& program, std::uint32_t first,
                             const EvaluationFrame& frame, Scratch* scratch, Value* otherwise);

// Undefined where the context has none.
Value find_attribute(const Program& program, const Attribute& attribute,
                     const EvaluationContext& context);

}  // namespace showcaller
