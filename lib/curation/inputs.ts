import { readdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { CrossThinkError } from '../errors.js';

/**
 * Files that a path, a glob (`*`, `?`, `**`) or a data set in the local Hugging Face cache (`hf://owner/name/path`) means,
 * in alphabetical order. Paths are relative to `base`. Throws where nothing is found.
 */
export async function expandInput(pattern: string, base: string): Promise<string[]> {
  if (pattern.startsWith('hf://')) return expandHub(pattern);
  const path = isAbsolute(pattern) ? pattern : base === '' ? pattern : join(base, pattern);
  if (!/[*?]/.test(path)) return [path];
  return expandGlob(path, pattern);
}

async function expandGlob(path: string, shown: string): Promise<string[]> {
  const parts = path.split(sep);
  const firstWild = parts.findIndex((part) => /[*?]/.test(part));
  const root = parts.slice(0, firstWild).join(sep) || sep;
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  const wanted = globPattern(parts.slice(firstWild).join('/'));
  const files = entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => wanted.test(relative(root, file).split(sep).join('/')))
    .sort();
  if (files.length > 0) return files;
  throw new CrossThinkError('ERR_FILE_NOT_FOUND', `no file matches ${shown} (below ${root})`, { file: shown });
}

function globPattern(glob: string): RegExp {
  const body = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('**/', '\0')
    .replaceAll('**', '\x01')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]')
    .replaceAll('\0', '(?:.*/)?')
    .replaceAll('\x01', '.*');
  return new RegExp(`^${body}$`);
}

/** Files of a data set that the Hugging Face tools have downloaded: nothing is fetched from the network. */
async function expandHub(pattern: string): Promise<string[]> {
  const match = /^hf:\/\/(?:datasets\/)?([^/]+)\/([^/]+)(?:\/(.+))?$/.exec(pattern);
  if (match === null) {
    throw new CrossThinkError('ERR_INVALID_ARG_VALUE', `expected hf://owner/name/path; received ${pattern}`, {
      file: pattern,
    });
  }
  const [, owner = '', name = '', path = '**'] = match;
  const repository = join(hubCache(), `datasets--${owner}--${name}`);
  const revision = await readFile(join(repository, 'refs', 'main'), 'utf8').catch((cause: unknown) => {
    const message = `${owner}/${name} is not in the Hugging Face cache ${hubCache()}; download it with huggingface-cli first`;
    throw new CrossThinkError('ERR_FILE_NOT_FOUND', message, { file: pattern, cause });
  });
  return expandInput(join(repository, 'snapshots', revision.trim(), path), '/');
}

function hubCache(): string {
  const { HF_HUB_CACHE, HF_HOME } = process.env;
  return HF_HUB_CACHE ?? join(HF_HOME ?? join(homedir(), '.cache', 'huggingface'), 'hub');
}

/** Folder that a recipe's paths are relative to. */
export function baseOf(recipe: string): string {
  return resolve(dirname(recipe));
}

/** Bytes of all files together; missing ones count as nothing here. */
export async function inputBytesOf(files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
