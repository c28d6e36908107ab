/** The one user of winston. */
import { createLogger as createWinston, format, transports } from 'winston';
import type { LogFields, Logger } from './logger.ts';
import { printable } from './printable.ts';
import { redact } from './redaction.ts';

export interface LogSettings {
  level: LogLevel;
}

export type LogLevel = keyof typeof LEVELS;

const LEVELS = { error: 0, warn: 1, info: 2, debug: 3 } as const;

/** Where lines go: stderr, because stdout belongs to the messages of an MCP server on stdio. */
export type LogStream = NodeJS.WritableStream & { isTTY?: boolean };

/**
 * A logger that writes JSON lines, or text on a terminal. A line costs some 16 µs, so what happens
 * with each decision is logged at `debug`; below the level a call costs next to nothing.
 */
export function createLogger({ level }: LogSettings, stream: LogStream = process.stderr): Logger {
  // A reader that went away must not end the process: evidence counts, not the log.
  stream.on('error', () => {});
  const line = stream.isTTY ? textLine : jsonLine;
  const winston = createWinston({
    levels: LEVELS,
    level,
    format: format.printf(({ level: at, message, fields }) =>
      line(at, String(message), redactSafely(fields as LogFields)),
    ),
    transports: [new transports.Stream({ stream })],
  });
  return loggerWith({}, level, (at, message, fields) => winston.log(at, { message, fields }));
}

type Write = (level: LogLevel, message: string, fields: LogFields) => void;

function loggerWith(own: LogFields, threshold: LogLevel, write: Write): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void => {
      if (LEVELS[level] <= LEVELS[threshold]) write(level, message, { ...own, ...fields });
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => loggerWith({ ...own, ...fields }, threshold, write),
  };
}

/** A value that breaks when it is looked at must not break who logs it. */
function redactSafely(fields: LogFields): LogFields {
  try {
    return redact(fields);
  } catch {
    return { fields: '[unreadable]' };
  }
}

function jsonLine(level: string, message: string, fields: LogFields): string {
  const header = { time: new Date().toISOString(), level, message };
  return JSON.stringify({ ...header, ...fields, ...header });
}

function textLine(level: string, message: string, fields: LogFields): string {
  const members = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const text = [new Date().toISOString(), level.padEnd(5), message, ...members].join(' ');
  return printable(text);
}
