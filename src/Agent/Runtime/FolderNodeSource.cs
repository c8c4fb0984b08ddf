using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.CompilerServices;
using Postern.Agent.Compile;
using Postern.Agent.Identities;
using Postern.Agent.Model;

namespace Postern.Agent.Runtime;

/// <summary>
/// Owned by the main loop: the agent's folder, compiled. An agent that starts while the folder is bad goes on from the last good copy; without one
/// it cuts off the endpoints that it can read, for a policy that cannot be read would be a policy that is not there.
/// </summary>
internal sealed class FolderNodeSource : INodeSource
{
    private readonly string folder;
    private readonly string identityFile;
    private readonly LastGoodFolder lastGood;
    private readonly IdentityAllocator allocator;
    private readonly Numbering numbering;
    private readonly NodeCompiler compiler;
    private readonly Action<string> warn;
    private readonly ConditionalWeakTable<PolicyObject, PolicyText> texts = [];
    private const int MostReads = 5;

    private NodeModel? model;
    private string? readHash;
    private NodeReading? reading;

    /// <param name="folder">YAML and JSON files.</param>
    /// <param name="stateFolder">For identities and the last good copy; exists.</param>
    /// <param name="runtimeFolder">For the name of the numbering; exists.</param>
    /// <param name="warn">Gets a line when something could not be remembered.</param>
    public FolderNodeSource(string folder, string stateFolder, string runtimeFolder, Action<string> warn)
    {
        this.folder = folder;
        this.warn = warn;
        identityFile = Path.Combine(stateFolder, "identities.json");
        lastGood = new LastGoodFolder(Path.Combine(stateFolder, "last-good"));
        allocator = IdentityAllocator.Load(identityFile, out var warning);
        if (warning is not null)
        {
            warn(warning);
        }
        numbering = new Numbering(runtimeFolder, allocator.IsRestored ? allocator.Digest : null);
        compiler = new NodeCompiler(allocator, HostAddresses.Read);
    }

    /// <summary>Whether numbers are those of the agent before. If not, a proxy that outlived it must not be spoken to: the same number may now mean another.</summary>
    public bool KnowsNumbers => numbering.IsKept;

    /// <summary>See <see cref="Identities.Numbering"/>.</summary>
    public string NumberingName => numbering.Name;

    public NodeReading Read()
    {
        var hash = FolderHash.Of(folder);
        if (reading is not null && hash is not null && hash == readHash)
        {
            return reading;
        }
        model ??= RestoreModel();
        var next = NodeFolder.Load(folder, model);
        for (var again = 0; FolderHash.Of(folder) is var now && now != hash; again++)
        {
            // Files came and went meanwhile: one that was renamed may have been missed under both names, and its policies with it.
            if (again == MostReads)
            {
                return Restless();
            }
            hash = now;
            next = NodeFolder.Load(folder, model);
        }
        var problems = new List<string>();
        foreach (var problem in next.Problems)
        {
            problems.Add(problem.ToString());
        }
        readHash = hash;
        if (model is null && problems.Count > 0)
        {
            return reading = new NodeReading(next.Endpoints.Count == 0 ? null : NodeCompiler.Block(next), problems, []);
        }
        model = next;
        var node = compiler.Compile(next);
        Remember(problems.Count == 0 ? hash : null);
        return reading = new NodeReading(node, problems, PolicyTexts.Of(next, folder, texts));
    }

    // The watch tells of each of those changes, so that this is not the last look.
    private NodeReading Restless()
    {
        const string Problem = "the folder changes faster than it can be read; what was in force stays; rename whole files into place";
        return reading is null ? new NodeReading(null, [Problem], []) : reading with { Problems = [.. reading.Problems, Problem] };
    }

    /// <summary>Reads a folder that no agent follows: nothing is remembered, and identities are numbered from the start.</summary>
    public static NodeReading ReadOnce(string folder)
    {
        var model = NodeFolder.Load(folder, null);
        var problems = new List<string>();
        foreach (var problem in model.Problems)
        {
            problems.Add(problem.ToString());
        }
        return new NodeReading(new NodeCompiler(new IdentityAllocator()).Compile(model), problems, PolicyTexts.Of(model, folder, []));
    }

    private NodeModel? RestoreModel()
    {
        if (!lastGood.Exists)
        {
            return null;
        }
        var restored = NodeFolder.Load(lastGood.Path, null);
        if (restored.Problems.Count > 0)
        {
            warn($"{lastGood.Path} cannot be used: {restored.Problems[0]}");
            return null;
        }
        return restored;
    }

    private void Remember(string? goodHash)
    {
        try
        {
            allocator.Save(identityFile);
            numbering.Keep(allocator.Digest);
            if (goodHash is not null)
            {
                lastGood.Replace(folder, goodHash);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            warn($"identities and the last good folder could not be remembered, a restart may number endpoints anew: {e.Message}; free or mend --state-dir and --runtime-dir");
        }
    }
}
