using System;
using Postern.Agent.Compile;

namespace Postern.Agent.Runtime;

internal sealed class FolderNodeSource(string folder, string stateFolder, Action<string> warn) : INodeSource
{
    public NodeReading Read() { warn(folder + stateFolder); return new(CompiledNode.Empty, [], []); }

    public static NodeReading ReadOnce(string folder) => new(CompiledNode.Empty, [folder], []);
}
