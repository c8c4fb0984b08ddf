using System;
using System.IO;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Runtime;

/// <summary>One agent per runtime folder: a locked file, which the kernel lets go of however its owner dies.</summary>
public sealed class RuntimeLock : IDisposable
{
    private readonly FileStream file;

    private RuntimeLock(FileStream file) => this.file = file;

    /// <summary>Makes the folder if it is missing, and takes it.</summary>
    /// <exception cref="AgentStartException">Another agent has it, or it cannot be written.</exception>
    public static RuntimeLock Take(string folder)
    {
        var path = Path.Combine(folder, "agent.lock");
        try
        {
            Directory.CreateDirectory(folder);
            // FileShare.None is flock(LOCK_EX | LOCK_NB), and children do not inherit the descriptor.
            return new RuntimeLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new AgentStartException($"cannot write the runtime folder {folder}: {e.Message}; make it writable or choose another with --runtime-dir", e);
        }
        catch (IOException e) when (!File.Exists(path))
        {
            throw new AgentStartException($"cannot make the runtime folder {folder}: {e.Message}; choose another with --runtime-dir", e);
        }
        catch (IOException e)
        {
            throw new AgentStartException($"another postern-agent has the runtime folder {folder}: {OpenFile.HolderOf(Path.GetFullPath(path)) ?? "a process that cannot be seen from here"} holds {path}; stop it, or choose another folder with --runtime-dir", e);
        }
    }

    /// <summary>Lets go.</summary>
    public void Dispose() => file.Dispose();
}

/// <summary>The agent cannot start; one line that names the cause and the knob.</summary>
public sealed class AgentStartException(string message, Exception? inner = null) : Exception(message, inner);
