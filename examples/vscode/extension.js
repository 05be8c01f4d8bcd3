// Starts `nnspec lsp` and connects it to specs.
const path = require("path");
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

/** The command of the settings; a relative program with a folder is in the first folder of the workspace. */
function command() {
  const [program, ...args] = vscode.workspace.getConfiguration("nnspec").get("command");
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  const isRelative = program.includes("/") && !path.isAbsolute(program);
  return { command: isRelative && folder ? path.join(folder, program) : program, args };
}

async function start() {
  const documents = { documentSelector: [{ language: "nnspec", scheme: "file" }, { language: "nnspec", scheme: "untitled" }] };
  client = new LanguageClient("nnspec", "nnspec", command(), documents);
  try {
    await client.start();
  } catch (error) {
    const install = "pip install 'nnspec[lsp]', and set nnspec.command if it is in another environment";
    vscode.window.showErrorMessage(`nnspec lsp does not start: ${error.message ?? error}. ${install}.`);
  }
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("nnspec.restart", async () => {
      await deactivate();
      await start();
    }),
    vscode.workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration("nnspec.command")) {
        await deactivate();
        await start();
      }
    }),
  );
  await start();
}

async function deactivate() {
  if (client?.isRunning()) {
    await client.stop();
  }
}

module.exports = { activate, deactivate };
