using System;
using System.IO;

namespace Postern.Tests.Records;

/// <summary>Finds the test vectors that lie beside the checkout, in <c>../shared/cases</c>.</summary>
public static class SharedCases
{
    /// <summary>The file, or null where the folder is absent.</summary>
    public static string? Find(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var file = Path.Combine(folder.FullName, "shared", "cases", name);
            if (File.Exists(file))
            {
                return file;
            }
        }

        return null;
    }
}
