// Drives one rtmpload process: words on its stdin, JSON lines from its stdout.
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** One running load client (or the sink, which is the origin of every target). */
export class Load {
  #child;
  #events = [];
  #waiting = new Set();
  #ended;
  #isGone = false;

  /** `tool`: the compiled rtmpload. `args`: its command line. `log`: a file for what it says on stderr. */
  constructor(tool, args, log) {
    this.#child = spawn(tool, args.map(String), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr.pipe(createWriteStream(log, { flags: 'a' }));
    this.#child.stdin.on('error', () => {});
    this.#ended = new Promise((resolve) => {
      this.#child.on('error', resolve);
      this.#child.on('close', resolve);
    }).then(() => {
      this.#isGone = true;
      this.#wake();
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#events.push(JSON.parse(line));
      this.#wake();
    });
  }

  #wake() {
    for (const wake of this.#waiting) wake();
  }

  /** The next event of that name; earlier ones of other names are dropped. Rejects after `timeoutMs` or with the process. */
  async expect(name, timeoutMs) {
    const end = Date.now() + timeoutMs;
    for (;;) {
      for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) {
        if (event.event === name) return event;
      }
      if (this.#isGone) throw new Error(`the load client ended before it said '${name}'`);
      const leftMs = end - Date.now();
      if (leftMs <= 0) throw new Error(`the load client did not say '${name}' within ${timeoutMs} ms`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        const wake = () => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  /** Sends one word: begin, end or quit. */
  say(word) {
    if (!this.#isGone) this.#child.stdin.write(`${word}\n`);
  }

  /** Ends it, by force after five seconds. */
  async quit() {
    this.say('quit');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await this.#ended;
    clearTimeout(timer);
  }

  /** Ends it now, without waiting. */
  kill() {
    this.#child.kill('SIGKILL');
  }
}
