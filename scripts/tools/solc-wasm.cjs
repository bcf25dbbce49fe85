#!/usr/bin/env node
// The command line of solc that Brownie, py-solc-x, forge and compile.py use, answered by npm's WebAssembly build.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const OPTIONS_WITH_VALUE = new Set(["--base-path", "--include-path", "--allow-paths"]);

function parse(argv) {
  const options = {roots: []};
  for (let at = 0; at < argv.length; at++) {
    const [name, inline] = argv[at].split(/=(.*)/s, 2);
    if (OPTIONS_WITH_VALUE.has(name)) {
      const value = inline === undefined ? argv[++at] : inline;
      if (name !== "--allow-paths") options.roots.push(value);
    } else if (name === "--version" || name === "--standard-json") {
      options.command = name;
    } else if (!name.startsWith("-") && options.command === "--standard-json" && options.file === undefined) {
      options.file = name;
    } else if (name !== "-") {
      throw new Error(`solc (WebAssembly): unknown option ${name}; --version and --standard-json are answered here`);
    }
  }
  return options;
}

function reader(roots) {
  return (wanted) => {
    for (const root of [...roots, "."]) {
      const file = path.resolve(root, wanted);
      if (fs.existsSync(file)) return {contents: fs.readFileSync(file, "utf8")};
    }
    return {error: `File not found: ${wanted}`};
  };
}

function main() {
  const options = parse(process.argv.slice(2));
  const solc = require("solc");
  if (options.command === "--version") {
    process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
  } else if (options.command === "--standard-json") {
    const input = fs.readFileSync(options.file === undefined ? 0 : options.file, "utf8");
    const output = Buffer.from(solc.compile(input, {import: reader(options.roots)}));
    for (let at = 0; at < output.length; ) at += writeSome(output, at);
  } else {
    throw new Error("solc (WebAssembly): give --version or --standard-json");
  }
}

function writeSome(output, at) {
  try {
    return fs.writeSync(1, output, at);
  } catch (error) {
    if (error.code === "EAGAIN") return 0;
    throw error;
  }
}

try {
  main();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
