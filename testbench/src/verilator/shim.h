// SPDX-License-Identifier: MIT OR Apache-2.0
// The C side of the Verilator driver. `build.rs` writes, for each design, a `Traits` struct (its
// Verilated class, its clock, its ports) and one instance of `Model<Traits>`'s table after this text.
// No C++ exception leaves a function of the table: it becomes a status and a message.

#include <cstdint>
#include <cstring>
#include <exception>
#include <string>

#include "verilated.h"
#if HEDDLE_TRACE == 1
#include "verilated_vcd_c.h"
using TraceFile = VerilatedVcdC;
#elif HEDDLE_TRACE == 2
#include "verilated_fst_c.h"
using TraceFile = VerilatedFstC;
#endif
#if VM_COVERAGE
#include "verilated_cov.h"
#endif

namespace heddle {

enum Status : uint32_t { RUNNING = 0, FINISHED = 1, FAILED = 2 };

// Read by the driver; its layout is mirrored in `library.rs`.
struct Head {
    uint64_t cycles = 0;  // rising clock edges so far
    uint32_t status = RUNNING;
};

struct PortInfo {
    const char* name;
    uint32_t width;
    uint32_t input;
};

struct Table {
    uint32_t abi;
    uint32_t ports;
    const PortInfo* (*info)();
    Head* (*create)(uint64_t seed);
    void (*destroy)(Head*);
    void* (*port)(Head*, uint32_t index);
    void (*eval)(Head*);
    void (*tick)(Head*);
    void (*ticks)(Head*, uint64_t n);
    uint32_t (*run_until)(Head*, const void* port, uint32_t bytes, uint64_t mask, uint64_t value, uint64_t limit);
    const char* (*message)(Head*);
    uint32_t (*trace_open)(Head*, const char* path, uint64_t first, uint64_t last);
    void (*trace_close)(Head*);
    uint32_t (*coverage_write)(Head*, const char* path);
};

struct Finish {};
struct Stop : std::exception {
    std::string text;
    explicit Stop(std::string t) : text(std::move(t)) {}
    const char* what() const noexcept override { return text.c_str(); }
};

template <class Traits>
struct Model : Head {
    VerilatedContext context;
    typename Traits::Top top;
    std::string text;
    bool high = true;  // the clock is taken as high before the first edge, so that an edge always starts low
#if HEDDLE_TRACE
    TraceFile* trace = nullptr;
    uint64_t first = 0, last = 0;
#endif

    explicit Model(uint64_t seed) : top(configure(context, seed), "top") {}

    static VerilatedContext* configure(VerilatedContext& context, uint64_t seed) {
        context.randReset(seed ? 2 : 0);
        if (seed) context.randSeed(static_cast<int>(seed & 0x7fffffff));
#if HEDDLE_TRACE
        context.traceEverOn(true);
#endif
        return &context;
    }

    template <class F>
    void guarded(F f) {
        try {
            f();
        } catch (const Finish&) {
            status = FINISHED;
        } catch (const std::exception& e) {
            status = FAILED;
            text = e.what();
        } catch (...) {
            status = FAILED;
            text = "unknown C++ exception";
        }
    }

#if HEDDLE_TRACE
    // Two time steps per cycle: the low half, then the high half.
    void dump() {
        if (trace && cycles >= first && cycles <= last) trace->dump(2 * cycles + (high ? 1 : 0));
    }
#else
    void dump() {}
#endif

    void evaluate() {
        top.eval();
        dump();
    }

    void cycle() {
        if (high) {
            Traits::clock(top, 0);
            high = false;
            evaluate();
        }
        Traits::clock(top, 1);
        high = true;
        evaluate();
        ++cycles;
    }

    static Model* self(Head* head) { return static_cast<Model*>(head); }

    static Head* create(uint64_t seed) {
        try {
            return new Model(seed);
        } catch (...) {
            return nullptr;
        }
    }

    static void destroy(Head* head) {
        Model* m = self(head);
        trace_close(head);
        if (m->status == RUNNING) m->guarded([m] { m->top.final(); });
        delete m;
    }

    static void* port(Head* head, uint32_t index) { return Traits::port(self(head)->top, index); }

    // Settles combinational paths. With a clock, it is low afterwards, ready for the next edge.
    static void eval(Head* head) {
        Model* m = self(head);
        m->guarded([m] {
            Traits::clock(m->top, 0);
            m->high = false;
            m->evaluate();
        });
    }

    static void tick(Head* head) {
        Model* m = self(head);
        m->guarded([m] { m->cycle(); });
    }

    static void ticks(Head* head, uint64_t n) {
        Model* m = self(head);
        m->guarded([m, n] {
            for (uint64_t i = 0; i < n; ++i) m->cycle();
        });
    }

    template <class T>
    static uint32_t run(Model* m, const void* port, uint64_t mask, uint64_t value, uint64_t limit) {
        const volatile T* p = static_cast<const T*>(port);
        for (uint64_t i = 0; i < limit; ++i) {
            if ((static_cast<uint64_t>(*p) & mask) == value) return 1;
            m->cycle();
        }
        return (static_cast<uint64_t>(*p) & mask) == value;
    }

    static uint32_t run_until(Head* head, const void* port, uint32_t bytes, uint64_t mask, uint64_t value,
                              uint64_t limit) {
        Model* m = self(head);
        uint32_t met = 0;
        m->guarded([&] {
            switch (bytes) {
            case 1: met = run<uint8_t>(m, port, mask, value, limit); break;
            case 2: met = run<uint16_t>(m, port, mask, value, limit); break;
            case 4: met = run<uint32_t>(m, port, mask, value, limit); break;
            case 8: met = run<uint64_t>(m, port, mask, value, limit); break;
            default: throw Stop("run_until needs a port of at most 64 bits");
            }
        });
        return met;
    }

    static const char* message(Head* head) { return self(head)->text.c_str(); }

    static uint32_t trace_open(Head* head, const char* path, uint64_t first, uint64_t last) {
#if HEDDLE_TRACE
        Model* m = self(head);
        trace_close(head);
        bool open = false;
        m->guarded([&] {
            m->trace = new TraceFile;
            m->top.trace(m->trace, 99);
            m->trace->open(path);
            m->first = first;
            m->last = last;
            open = m->trace->isOpen();
        });
        return open;
#else
        (void)head, (void)path, (void)first, (void)last;
        return 2;
#endif
    }

    static void trace_close(Head* head) {
#if HEDDLE_TRACE
        Model* m = self(head);
        m->guarded([m] {
            if (m->trace) {
                m->trace->close();
                delete m->trace;
                m->trace = nullptr;
            }
        });
#else
        (void)head;
#endif
    }

    static uint32_t coverage_write(Head* head, const char* path) {
#if VM_COVERAGE
        self(head)->context.coveragep()->write(path);
        return 1;
#else
        (void)head, (void)path;
        return 0;
#endif
    }

    static const Table* table() {
        static const Table t = {HEDDLE_ABI, Traits::PORTS, Traits::info, create,     destroy,     port,           eval,
                                tick,       ticks,         run_until,    message,    trace_open,  trace_close,    coverage_write};
        return &t;
    }
};

}  // namespace heddle

// Verilator's runtime is built with VL_USER_*: these replace its abort() and exit().
void vl_finish(const char*, int, const char*) VL_MT_UNSAFE { throw heddle::Finish{}; }
void vl_stop(const char* file, int line, const char*) VL_MT_UNSAFE {
    throw heddle::Stop(std::string("$stop or a failed assertion at ") + file + ":" + std::to_string(line));
}
void vl_fatal(const char* file, int line, const char*, const char* message) VL_MT_UNSAFE {
    throw heddle::Stop(std::string(message) + (file && *file ? std::string(" at ") + file + ":" + std::to_string(line) : ""));
}
